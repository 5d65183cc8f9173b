import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import request from 'supertest';
import { PackFolder } from '../../gateway/src/testing/given-packs';
import { type AnalyticsApp, analyticsApp } from './sample-app';
import { type SampleLake, sampleLake } from './sample-lake';

/** Ten thousand million rows, of which nothing is left at the end: hours of work, and little memory. */
const ENDLESS = `SELECT count(*) AS n
  FROM mysql_users a CROSS JOIN mysql_users b CROSS JOIN mysql_users c
  WHERE a.id * b.id * c.id = -1`;

describe('hostile requests and queries', () => {
  let lake: SampleLake;
  let folder: PackFolder;
  let analytics: AnalyticsApp;
  beforeAll(async () => {
    lake = await sampleLake();
    folder = new PackFolder();
    const route = (name: string, ...lines: string[]) =>
      folder.write(
        `mine/${name}.sql`,
        `-- route: /mine/${name}`,
        `-- summary: ${name}`,
        '-- tables: mysql.users',
        ...lines,
      );
    folder.write('mine/schema.sql', 'CREATE TABLE mysql_users (id bigint, estado varchar, nombre varchar);');
    route('endless', '-- name: n :value', ENDLESS);
    route('huge', '-- name: rows :many', 'SELECT a.id, b.nombre FROM mysql_users a CROSS JOIN mysql_users b');
    route('wide', '-- name: rows :many', 'SELECT id, nombre FROM mysql_users ORDER BY id');
    route(
      'in-state',
      ...['-- param: state text 0..40 The state.', '-- param: least number 0.. = 0 Ids from here on.'],
      ...['-- name: users :value', 'SELECT count(*) AS n FROM mysql_users WHERE estado = :state AND id >= :least'],
    );
    analytics = await analyticsApp(lake, { PACKS_DIR: folder.path, QUERY_TIMEOUT: '10' });
  });
  afterAll(async () => {
    await analytics?.close();
    folder?.remove();
    await lake?.remove();
  });

  const get = (path: string) => request(analytics.app).get(path);
  const expectAlive = async () =>
    expect((await get('/mine/in-state?state=Lima').expect(200)).body).toMatchObject({ users: expect.any(Number) });

  it.each(["Lima' OR '1'='1", "'; DROP TABLE mysql_users; --", 'Lima" --', '?', '$1', ':least', '%', '\\', '💥'])(
    'take %s for a state that nobody lives in',
    async (state) => {
      const { body } = await get(`/mine/in-state?state=${encodeURIComponent(state)}`).expect(200);
      expect(body).toEqual({ as_of: '2026-11-03', users: 0 });
      await expectAlive();
    },
  );

  it('refuse what is no number', async () => {
    for (const least of ['1 OR 1=1', '-1', 'NaN', 'Infinity', '0x10', '1e400', '9'.repeat(400)]) {
      const { body } = await get(`/mine/in-state?state=Lima&least=${encodeURIComponent(least)}`).expect(400);
      expect(body.error).toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringContaining('least must be') });
    }
    await get(`/mysql/analytics/growth-by-state?months=37`).expect(400);
    await get(`/mysql/analytics/growth-by-state?months=${'1'.repeat(5000)}`).expect(400);
  });

  it('end an endless query in time, and answer the next one', async () => {
    const { body } = await get('/mine/endless').expect(504);
    expect(body.error).toMatchObject({ code: 'QUERY_TIMEOUT', message: 'The query took longer than 10 s' });
    await expectAlive();
  });

  it('end a query whose caller hung up', async () => {
    const server = createServer(analytics.app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const leave = new AbortController();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mine/endless`;
    const gone = fetch(url, { signal: leave.signal }).catch(() => undefined);
    setTimeout(() => leave.abort(), 300);
    await gone;
    await expectAlive();
    server.close();
    server.closeAllConnections();
  });

  it('refuse an answer that is too large, and give a large one', async () => {
    const { body } = await get('/mine/huge').expect(422);
    expect(body.error).toMatchObject({ code: 'RESULT_TOO_LARGE', hint: expect.stringMatching(/\S/) });
    expect((await get('/mine/wide').expect(200)).body.rows).toHaveLength(4000);
    await expectAlive();
  });

  it('refuses at start what the engine does not understand, with file and line', async () => {
    folder.write(
      'mine/wrong.sql',
      '-- route: /mine/wrong',
      '-- summary: x',
      '-- tables: mysql.users',
      '',
      '-- name: n :many',
      'SELECT id',
      'FROM mysql_users',
      'WHERE nothing = 1',
    );
    await expect(analyticsApp(lake, { PACKS_DIR: folder.path })).rejects.toThrow(/wrong\.sql:8: .*nothing/);
    folder.write(
      'mine/wrong.sql',
      '-- route: /mine/wrong',
      '-- summary: x',
      '-- tables: mysql.users',
      '-- name: n :many',
      "SELECT * FROM read_csv('/etc/passwd'), mysql_users",
    );
    await expect(analyticsApp(lake, { PACKS_DIR: folder.path })).rejects.toThrow(/wrong\.sql:5: /);
  });
});
