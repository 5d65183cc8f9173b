import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scriptEventSchema } from '../contract/events';
import { sourceDescriptionSchema } from '../contract/source-description';
import { redactor, reporter } from './reporter';
import { secretsOf } from './secrets';

/** Collects what is written, as a stream would get it. */
function output(isTTY: boolean) {
  const texts: string[] = [];
  return { isTTY, write: (text: string) => texts.push(text), texts };
}

describe('reporter', () => {
  it('writes one valid JSON event per line', () => {
    const out = output(false);
    const report = reporter(out, (text) => text);
    report({ event: 'log', level: 'warn', message: 'two\nlines' });
    report({ event: 'table_started', table: 'users', estimated_rows: null });
    report({ event: 'progress', table: 'users', rows: 1, bytes: 2 });
    report({ event: 'table_finished', table: 'users', rows: 3, bytes: 4 });
    expect(out.texts.every((text) => /^[^\n]+\n$/.test(text))).toBe(true);
    const events = out.texts.map((text) => scriptEventSchema.parse(JSON.parse(text)));
    expect(events.map(({ event }) => event)).toEqual(['log', 'table_started', 'progress', 'table_finished']);
    expect(events[0]).toMatchObject({ message: 'two\nlines', level: 'warn' });
  });

  it('draws for people on a terminal', () => {
    const out = output(true);
    const report = reporter(out, redactor(['s3cr3t']));
    report({ event: 'table_started', table: 'users', estimated_rows: 4000 });
    report({ event: 'progress', table: 'users', rows: 1000, bytes: 2_500_000 });
    report({ event: 'progress', table: 'users', rows: 9000, bytes: 20_000_000 });
    report({ event: 'table_finished', table: 'users', rows: 9001, bytes: 20_100_000 });
    report({ event: 'progress', table: 'unknown', rows: 1, bytes: 0 });
    report({ event: 'log', level: 'warn', message: 'not s3cr3t' });
    const clear = '\r\x1b[K';
    expect(out.texts).toEqual([
      `${clear}start users\n`,
      `${clear}      users [#####...............] 1,000 rows, 2.5 MB`,
      `${clear}      users [####################] 9,000 rows, 20.0 MB`,
      `${clear}done  users 9,001 rows, 20.1 MB\n`,
      `${clear}      unknown  1 rows, 0.0 MB`,
      `${clear}warn  not ***\n`,
    ]);
  });

  it('redacts messages, and leaves the form of the events alone whatever the password', () => {
    for (const secret of ['event', 'users', '1234', 'rows', '"level":', new Date().getFullYear().toString()]) {
      const out = output(false);
      const report = reporter(out, redactor([secret]));
      report({ event: 'progress', table: 'users', rows: 12345, bytes: 12345 });
      report({ event: 'log', level: 'info', message: `it is ${secret}!` });
      const [progress, log] = out.texts.map((text) => scriptEventSchema.parse(JSON.parse(text)));
      expect(progress).toMatchObject({ table: 'users', rows: 12345 });
      expect(log).toMatchObject({ message: 'it is ***!' });
    }
  });
});

describe('redactor', () => {
  const secret = 'p"ss\n/wörd@1';
  const redact = redactor([secret, 'abc', '', 'short', 'shorter']);

  it.each([
    ['as it is', `a ${secret} b ${secret}`, 'a *** b ***'],
    ['in JSON', `a ${JSON.stringify({ secret })}`, 'a {"secret":"***"}'],
    ['in a URI', `db://u:${encodeURIComponent(secret)}@h`, 'db://u:***@h'],
    ['the longer of two', 'shorter short', '*** ***'],
    ['not what is very short', 'abc', 'abc'],
  ])('hides a secret: %s', (_, text, expected) => {
    expect(redact(text)).toBe(expected);
  });
});

describe('secretsOf', () => {
  const description = sourceDescriptionSchema.parse({
    title: 'Test',
    env_prefix: 'DB_',
    command: ['node'],
    env: [
      { name: 'DB_USER', description: 'User.' },
      { name: 'DB_PASSWORD', aliases: ['DB_PASS'], description: 'Password.', secret: true },
      { name: 'DB_URI', description: 'All in one.', secret: true },
    ],
  });

  it('finds every secret value, under each name and in files, and the keys of AWS', () => {
    const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
    const file = join(folder, 'pw');
    writeFileSync(file, 'from-file\n');
    const env = {
      DB_USER: 'u',
      DB_PASS: 'alias',
      DB_PASSWORD_FILE: file,
      DB_PASS_REMOTE: 'remote',
      AWS_SECRET_ACCESS_KEY: 'key',
      AWS_SESSION_TOKEN: 'session',
      AWS_ACCESS_KEY_ID: 'id',
    };
    expect(secretsOf(description, env)).toEqual(['from-file', 'alias', 'remote', 'key', 'session']);
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['mongodb+srv://u:p%40ss%2Fw@h/db?x=1', ['p%40ss%2Fw', 'p@ss/w']],
    ['db://u:p@ss@h/db?mail=a@b', ['p@ss']],
    ['db://u:pa/ss@h/db', ['pa/ss']],
    ['db://:only@h', ['only']],
    ['db://u:100%@h', ['100%']],
    ['db://user@h:5432/db', []],
    ['db://h:5432/db', []],
  ])('finds the password in %s', (uri, passwords) => {
    const found = secretsOf(description, { DB_URI: uri });
    expect(found[0]).toBe(uri);
    for (const password of passwords) expect(found).toContain(password);
    if (passwords.length === 0) expect(found).toEqual([uri]);
  });
});
