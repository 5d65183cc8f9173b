import { secretValues } from './log';
import { capturedLog } from './testing/given';

const SECRET = 'p"ss wörd\n/%';

describe('createLog', () => {
  it.each([false, true])('hides a secret in the message, in fields and inside objects (human: %s)', (human) => {
    const { log, lines } = capturedLog([SECRET], human);
    log.info(`connecting with ${SECRET}`);
    log.child({ run_id: SECRET }).warn('x', { deep: { list: [`a${SECRET}b`] }, [SECRET]: 1 });
    log.error('stack', { cause: new Error(`refused: ${SECRET}`).stack });
    log.debug(`mongodb://u:${encodeURIComponent(SECRET)}@h`);
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line).toContain('***');
    expect(lines.join('\n')).not.toMatch(/ss w|w%C3%B6rd/);
  });

  it('hides the longer secret whole where a shorter one is its beginning', () => {
    const { log, lines } = capturedLog(['abcd', 'abcdefgh']);
    log.info('abcdefgh abcd');
    expect(JSON.parse(lines[0]!).message).toBe('*** ***');
  });

  it('writes one JSON document per line, whatever the message', () => {
    const { log, lines } = capturedLog();
    log.info('two\nlines', { table: 'users' });
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', message: 'two\nlines', table: 'users' });
  });
});

describe('secretValues', () => {
  it('finds them by telling names, by given names and inside URLs', () => {
    const env = {
      MYSQL_PASSWORD: 'one',
      AWS_SECRET_ACCESS_KEY: 'two',
      AWS_SESSION_TOKEN: 'three',
      MONGO_URI: 'mongodb://user:four@host/db',
      MONGO_URI_REMOTE: 'seven',
      ODD_URL: 'postgres://user:five@host',
      CASSANDRA_LOGIN: 'six',
      MYSQL_PASSWORD_FILE: '/run/secrets/mysql',
      MYSQL_HOST: 'db',
      UNSET_PASSWORD: undefined,
    };
    expect(secretValues(env, ['CASSANDRA_LOGIN']).filter(Boolean).sort()).toEqual(
      ['four', 'one', 'mongodb://user:four@host/db', 'five', 'six', 'seven', 'three', 'two'].sort(),
    );
  });
});
