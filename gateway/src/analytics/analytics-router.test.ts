import { once } from 'node:events';
import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Lake } from '@ingesta/kit';
import express, { type Express } from 'express';
import request from 'supertest';
import { ApiError } from '../errors';
import { errorHandler } from '../http/error-handler';
import { commitSnapshot } from '../testing/commit-snapshot';
import { capturedLog, givenLake } from '../testing/given';
import { FakeEngine, loadFrom, PackFolder } from '../testing/given-packs';
import { analyticsRouter } from './analytics-router';
import { AnalyticsService } from './analytics-service';
import type { ResultSet } from './engines/engine';
import { Snapshots } from './snapshots';

const RUNS = ['01890a5d-ac96-774b-bcce-b302099a8051', '01890a5d-ac96-774b-bcce-b302099a8052'] as const;
const TABLE = { csv: 'id\n1\n', columns: [{ name: 'id', logical_type: 'integer', source_type: 'int' }] } as const;

describe('analytics routes', () => {
  let lake: Lake;
  let remove: () => Promise<void>;
  let folder: PackFolder;
  let engine: FakeEngine;
  let app: Express;
  let lines: string[];
  let service: AnalyticsService;

  beforeEach(async () => {
    ({ lake, remove } = await givenLake());
    folder = new PackFolder();
    folder.write('p/schema.sql', 'CREATE TABLE mysql_users (id bigint);', 'CREATE TABLE pg_extra (id bigint);');
    folder.write(
      ...['p/r.sql', '-- route: /r', '-- summary: R', '-- tables: mysql.users', '-- uses: pg.extra'],
      ...['-- param: n integer 1..9 = 3', '-- param: word text 1..5 = hey', '-- param: day date = 2025-01-31'],
      ...['-- name: . :one', 'SELECT :n AS n FROM mysql_users WHERE :word > :as_of AND :day IS NULL'],
      ...['-- name: extra.list :many if pg.extra', 'SELECT count(*) AS n FROM pg_extra'],
    );
    await start();
  });
  afterEach(async () => {
    folder.remove();
    await remove();
  });

  async function start(settings: Partial<ConstructorParameters<typeof AnalyticsService>[0]['config']> = {}) {
    engine = new FakeEngine();
    const config = { queryTimeoutSeconds: 60, maxConcurrentQueries: 4, resultCacheBytes: 1e6, ...settings };
    service = new AnalyticsService({
      packs: await loadFrom(folder),
      engine,
      snapshots: new Snapshots(async () => lake),
      config,
    });
    const captured = capturedLog();
    lines = captured.lines;
    app = express().use(analyticsRouter(service), errorHandler(captured.log));
  }
  const commit = (
    database = 'mysql',
    tables: object = { users: TABLE },
    run = 0,
    takenAt = '2025-01-02T23:59:59.000Z',
  ) => commitSnapshot(lake, database, tables as never, { runId: RUNS[run]!, takenAt });
  const get = (path: string) => request(app).get(path);

  it('answer with as_of first, an ETag and the runs that were read', async () => {
    await commit();
    const { text, headers } = await get('/r').expect(200).expect('Content-Type', /json/);
    expect(text).toBe('{"as_of":"2025-01-02","n":1}');
    expect(headers).toMatchObject({
      etag: expect.stringMatching(/^"[\w-]{32}"$/),
      'ingesta-runs': `mysql=${RUNS[0]}`,
      'cache-control': 'no-cache',
    });
    const [query] = engine.queries;
    expect(query!.tables).toMatchObject([{ name: 'mysql_users', database: 'mysql', entry: { run_id: RUNS[0] } }]);
    expect(query!.statements).toEqual([
      {
        sql: 'SELECT CAST(? AS bigint) AS n FROM mysql_users WHERE CAST(? AS varchar) > CAST(? AS date) AND CAST(? AS date) IS NULL',
        parameters: [3, 'hey', '2025-01-02', '2025-01-31'],
      },
    ]);
  });

  it('take in optional tables where they are there, and count from the oldest data read', async () => {
    await commit();
    await commit('pg', { extra: TABLE }, 1, '2024-12-31T22:00:00.000Z');
    const { text, headers } = await get('/r').expect(200);
    expect(text).toBe('{"as_of":"2024-12-31","n":1,"extra":{"list":[{"n":1}]}}');
    expect(headers['ingesta-runs']).toBe(`mysql=${RUNS[0]}, pg=${RUNS[1]}`);
  });

  it('name what was never ingested, and the POST that brings it', async () => {
    const { body } = await get('/r').expect(503);
    expect(body).toEqual({
      status: 'error',
      database: 'mysql',
      error: {
        code: 'DATA_NOT_AVAILABLE',
        message: 'Not ingested yet: mysql.users',
        hint: 'POST /api/ingesta/mysql brings what is missing.',
        run_id: null,
      },
    });
    await commit('mysql', { other: TABLE });
    expect((await get('/r').expect(503)).headers.etag).not.toMatch(/^"[\w-]{32}"$/);
  });

  it.each([
    ['n=0', 'n must be a whole number from 1 to 9'],
    ['n=10', 'n must be a whole number from 1 to 9'],
    ['n=', 'n must be'],
    ['n=1e0', 'n must be'],
    ['n=1;DROP TABLE mysql_users', 'n must be'],
    ["n=1' OR '1'='1", 'n must be'],
    ['n=%00', 'n must be'],
    ['n=1&n=2', 'n is given 2 times'],
    ['n[]=1', 'unknown parameter "n[]"; there are n, word, day'],
    ['word=too%20long', 'word must be text of 1 to 5 characters'],
    ['word=a%00b', 'word must be'],
    ['day=2025-02-30', 'day must be a date like 2025-01-31'],
    ['N=1', 'unknown parameter "N"'],
    [
      'n=0&word=&x=1',
      'unknown parameter "x"; there are n, word, day; n must be a whole number from 1 to 9; word must be',
    ],
  ])('refuse ?%s', async (query, message) => {
    await commit();
    const { body } = await get(`/r?${query}`).expect(400);
    expect(body.error).toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringContaining(message) });
    expect(engine.queries).toEqual([]);
  });

  it('bind what they are given, and never paste it', async () => {
    await commit();
    await get(`/r?word=${encodeURIComponent("';--")}`).expect(200);
    expect(engine.queries[0]!.statements[0]).toMatchObject({
      sql: expect.not.stringContaining(';--'),
      parameters: [3, "';--", expect.anything(), expect.anything()],
    });
  });

  it('answer 304 to who has it, without a query', async () => {
    await commit();
    const { etag } = (await get('/r').expect(200)).headers;
    await start();
    for (const known of [etag, `"x", W/${etag}`, '*']) {
      const { headers, text } = await get('/r').set('If-None-Match', known!).expect(304);
      expect({ etag: headers.etag, text }).toEqual({ etag, text: '' });
    }
    expect(engine.queries).toEqual([]);
    await get('/r').set('If-None-Match', '"x"').expect(200);
  });

  it('have another ETag with other data, another parameter, or other SQL', async () => {
    await commit();
    const etagOf = async (path: string) => (await get(path).expect(200)).headers.etag;
    const etags = [await etagOf('/r'), await etagOf('/r?n=4')];
    await commit('mysql', { users: TABLE }, 1);
    etags.push(await etagOf('/r'));
    folder.write('p/schema.sql', 'CREATE TABLE mysql_users (id varchar);', 'CREATE TABLE pg_extra (id bigint);');
    await start();
    etags.push(await etagOf('/r'));
    expect(new Set(etags).size).toBe(4);
    expect(await etagOf('/r?n=3')).toBe(etags[3]);
  });

  it('keep answers until other data is there', async () => {
    await commit();
    for (let i = 0; i < 3; i++) await get('/r').expect(200);
    expect(engine.queries).toHaveLength(1);
    await commit('mysql', { users: TABLE }, 1);
    await get('/r').expect(200);
    expect(engine.queries).toHaveLength(2);
  });

  it('keep nothing where they may not', async () => {
    await start({ resultCacheBytes: 0 });
    await commit();
    for (let i = 0; i < 3; i++) await get('/r').expect(200);
    expect(engine.queries).toHaveLength(3);
  });

  it('never mix a snapshot that is published meanwhile into an answer', async () => {
    await commit();
    await commit('pg', { extra: TABLE }, 0);
    let publish = async () => void (await commit('mysql', { users: TABLE }, 1));
    engine.answer = async (tables, all) => {
      await publish();
      publish = async () => {};
      const runs = tables.map(({ entry }) => RUNS.indexOf(entry.run_id as never));
      return all.map(() => ({ columns: [{ name: 'n', type: 'integer' }], rows: [[runs[0]!]] }));
    };
    const during = await get('/r').expect(200);
    expect({ n: during.body.n, runs: during.headers['ingesta-runs'] }).toEqual({
      n: 0,
      runs: `mysql=${RUNS[0]}, pg=${RUNS[0]}`,
    });
    const after = await get('/r').expect(200);
    expect({ n: after.body.n, runs: after.headers['ingesta-runs'] }).toEqual({
      n: 1,
      runs: `mysql=${RUNS[1]}, pg=${RUNS[0]}`,
    });
  });

  describe('while a query runs', () => {
    let finish: (rows: ResultSet[]) => void;
    let url: string;
    let server: http.Server;
    const RESULT: ResultSet[] = [{ columns: [{ name: 'n', type: 'integer' }], rows: [[7]] }];
    beforeEach(async () => {
      await commit();
      await listen();
    });
    afterEach(() => stopListening());
    const stopListening = () => {
      server.close();
      server.closeAllConnections();
    };

    async function listen() {
      engine.answer = () =>
        new Promise((resolve) => {
          finish = resolve;
        });
      server = app.listen(0, '127.0.0.1');
      await once(server, 'listening');
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }
    const running = async (queries: number) => {
      while (engine.queries.length < queries) await new Promise(setImmediate);
    };

    it('the same requests share it, and one caller who hangs up takes it from nobody', async () => {
      const leave = new AbortController();
      const gone = fetch(`${url}/r`, { signal: leave.signal }).catch((error: Error) => error.name);
      const others = [fetch(`${url}/r`), fetch(`${url}/r?n=3`)];
      await running(1);
      leave.abort();
      expect(await gone).toBe('AbortError');
      finish(RESULT);
      for (const response of await Promise.all(others)) expect(await response.json()).toMatchObject({ n: 7 });
      expect(engine.queries).toHaveLength(1);
    });

    it('it ends when the last caller hangs up; the next one asks anew', async () => {
      const leave = new AbortController();
      const gone = fetch(`${url}/r`, { signal: leave.signal }).catch(() => undefined);
      await running(1);
      leave.abort();
      await gone;
      await new Promise<void>((resolve) => {
        const { signal } = engine.queries[0]!;
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve());
      });
      const next = fetch(`${url}/r`);
      await running(2);
      finish(RESULT);
      expect((await next).status).toBe(200);
      expect(lines).toEqual([]);
    });

    it('others wait for their turn, and too many are told to come back', async () => {
      stopListening();
      await start({ maxConcurrentQueries: 1 });
      await listen();
      const first = fetch(`${url}/r?n=1`);
      await running(1);
      const waiting = Array.from({ length: 200 }, (_, i) =>
        service.read(service.routes[0]!, new Map([['n', i + 100]])),
      );
      const queued = (await Promise.all(waiting)).map((reading) =>
        service.answer(reading, new AbortController().signal).catch((error) => error),
      );
      await new Promise(setImmediate);
      const refused = await fetch(`${url}/r?n=2`);
      expect({ status: refused.status, retry: refused.headers.get('Retry-After') }).toEqual({
        status: 429,
        retry: '5',
      });
      expect(engine.queries).toHaveLength(1);
      engine.answer = async () => RESULT;
      finish(RESULT);
      expect((await first).status).toBe(200);
      for (const answer of await Promise.all(queued)) expect(answer).toBeInstanceOf(Buffer);
    });

    it('it is killed when its time is over', async () => {
      stopListening();
      await start({ queryTimeoutSeconds: 0.05 });
      await listen();
      const response = await fetch(`${url}/r`);
      expect({ status: response.status, body: await response.json() }).toMatchObject({
        status: 504,
        body: { error: { code: 'QUERY_TIMEOUT', hint: expect.stringContaining('QUERY_TIMEOUT') } },
      });
      expect(engine.queries[0]!.signal.aborted).toBe(true);
    });
  });

  it("tell an engine's failure once, without its cause, and try again at the next request", async () => {
    await commit();
    engine.answer = async () => {
      throw new ApiError('INTERNAL', 'The engine failed', { cause: new Error('canary') });
    };
    const { text, headers } = await get('/r').expect(500);
    expect(text).not.toContain('canary');
    expect(headers['ingesta-runs']).toBeUndefined();
    expect(lines.join()).toContain('canary');
    engine.answer = async () => [{ columns: [{ name: 'n', type: 'integer' }], rows: [[1]] }];
    await get('/r').expect(200);
  });

  it('call several rows an error where there may be one', async () => {
    await commit();
    engine.answer = async () => [{ columns: [{ name: 'n', type: 'integer' }], rows: [[1], [2]] }];
    await get('/r').expect(500);
    expect(lines.join()).toContain('\\".\\" is :one, and the engine found 2 rows');
  });
});
