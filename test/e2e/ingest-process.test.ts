import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeWith } from '../services/need';
import { createMysql, createPostgresql, type TestDatabase } from './harness/databases';
import { expectFailure, startTestGateway, type TestGateway } from './harness/gateway';
import { SAMPLE_SQL, USERS_CSV } from './sample-tables';

const sources = [
  { source: 'postgresql' as const, create: createPostgresql },
  { source: 'mysql' as const, create: createMysql },
];

describe.each(sources)('$source', ({ source, create }) => {
  describeWith([source], 'as a process, to a folder, without Docker', () => {
    let database: TestDatabase;
    let lake: string;
    let gateway: TestGateway;

    beforeAll(async () => {
      database = await create();
      for (const sql of SAMPLE_SQL) await database.query(sql);
      lake = await mkdtemp(join(tmpdir(), 'ingesta lake '));
      gateway = await startTestGateway({
        ...database.settings(false),
        LAKE_URL: pathToFileURL(lake).href,
        RUNNER: 'process',
      });
    });
    afterAll(async () => {
      await gateway?.stop();
      await database?.drop();
      if (lake) await rm(lake, { recursive: true, force: true });
    });

    it('answers with the contract, and the folder holds the CSV', async () => {
      const { status, body } = await gateway.post(source);
      expect({ status, body }).toMatchObject({ status: 200, body: { status: 'success', consistency: 'snapshot' } });
      const url = new URL(body.result.users.url);
      expect(url.pathname).toMatch(new RegExp(`/${source}/users_\\d{8}_\\d{6}\\.csv$`));
      expect(await readFile(url, 'utf8')).toBe(USERS_CSV);
    });

    it('checks the tables before it reads anything', async () => {
      const answer = await gateway.post(source, { tables: ['users', 'nope'] });
      expectFailure(answer, 422, 'TABLE_NOT_FOUND');
      expect(answer.body.error.message).toContain('nope');
      expect(answer.body.error.hint).toContain('empty_table, users');
    });

    it('refuses a table that has nothing to show, and a selection that is empty', async () => {
      await database.query('CREATE TABLE secrets (password VARCHAR(20))');
      const closed = await gateway.post(source, { tables: ['secrets'] });
      expectFailure(closed, 422, 'SOURCE_CONFIG');
      expect(closed.body.error.message).toContain('secrets');
      // Among others it is left out, and the answer says so.
      const all = await gateway.post(source);
      expect(Object.keys(all.body.result).sort()).toEqual(['empty_table', 'users']);
      expect(all.body.warnings).toEqual([expect.stringContaining('secrets')]);
      await database.query('DROP TABLE secrets');
    });

    it('two at once: one runs, the other is told which', async () => {
      const [a, b] = await Promise.all([gateway.post(source), gateway.post(source)]);
      const [won, lost] = a.status === 200 ? [a, b] : [b, a];
      expect(won.status).toBe(200);
      expectFailure(lost, 409, 'RUN_IN_PROGRESS');
      expect(lost.body.error.run_id).toBe(won.body.run_id);
    });

    it('a selection without a table publishes nothing over what is there', async () => {
      const prefix = source === 'mysql' ? 'MYSQL_' : 'POSTGRES_';
      const narrow = await startTestGateway({
        ...database.settings(false),
        LAKE_URL: pathToFileURL(lake).href,
        RUNNER: 'process',
        PACKS: 'none',
        [`${prefix}TABLES`]: '!*',
      });
      try {
        expectFailure(await narrow.post(source), 422, 'TABLE_NOT_FOUND');
        const { body } = await narrow.get('/health');
        expect(body.data_availability[source]).toEqual({ empty_table: true, users: true });
      } finally {
        await narrow.stop();
      }
    });

    it('runs that follow one another at once never share a key', async () => {
      const first = await gateway.post(source);
      const second = await gateway.post(source);
      expect([first.status, second.status]).toEqual([200, 200]);
      expect(second.body.result.users.url).not.toBe(first.body.result.users.url);
      expect(
        (await readdir(join(lake, source))).filter((name) => name.startsWith('users_')).length,
      ).toBeGreaterThanOrEqual(4);
    });
  });
});
