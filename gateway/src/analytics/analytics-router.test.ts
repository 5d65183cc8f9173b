import { ApiError } from '../errors';
import { GivenAnalytics, RUNS, TABLE } from '../testing/given-analytics';

describe('analytics routes', () => {
  let given: GivenAnalytics;
  beforeEach(async () => {
    given = await GivenAnalytics.create();
  });
  afterEach(() => given.remove());

  it('answer with as_of first, an ETag and the runs that were read', async () => {
    await given.commit();
    const { text, headers } = await given.get('/r').expect(200).expect('Content-Type', /json/);
    expect(text).toBe('{"as_of":"2025-01-02","n":1}');
    expect(headers).toMatchObject({
      etag: expect.stringMatching(/^"[\w-]{32}"$/),
      'ingesta-runs': `mysql=${RUNS[0]}`,
      'cache-control': 'no-cache',
    });
    const [query] = given.engine.queries;
    expect(query!.tables).toMatchObject([{ name: 'mysql_users', database: 'mysql', entry: { run_id: RUNS[0] } }]);
    expect(query!.statements).toEqual([
      {
        sql: 'SELECT CAST(? AS bigint) AS n FROM mysql_users WHERE CAST(? AS varchar) > CAST(? AS date) AND CAST(? AS date) IS NULL',
        parameters: [3, 'hey', '2025-01-02', '2025-01-31'],
      },
    ]);
  });

  it('take in optional tables where they are there, and count from the oldest data read', async () => {
    await given.commit();
    await given.commit('pg', { extra: TABLE }, 1, '2024-12-31T22:00:00.000Z');
    const { text, headers } = await given.get('/r').expect(200);
    expect(text).toBe('{"as_of":"2024-12-31","n":1,"extra":{"list":[{"n":1}]}}');
    expect(headers['ingesta-runs']).toBe(`mysql=${RUNS[0]}, pg=${RUNS[1]}`);
  });

  it('name what was never ingested, and the POST that brings it', async () => {
    const { body } = await given.get('/r').expect(503);
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
    await given.commit('mysql', { other: TABLE });
    expect((await given.get('/r').expect(503)).headers.etag).not.toMatch(/^"[\w-]{32}"$/);
  });

  it('name what is missing in several databases, and the POST for each', async () => {
    given.folder.write(
      ...['p/both.sql', '-- route: /both', '-- summary: B', '-- tables: mysql.users, pg.extra'],
      ...['-- name: n :value', 'SELECT count(*) AS n FROM mysql_users CROSS JOIN pg_extra'],
    );
    await given.start();
    const { body } = await given.get('/both').expect(503);
    expect(body).toEqual({
      status: 'error',
      database: null,
      error: {
        code: 'DATA_NOT_AVAILABLE',
        message: 'Not ingested yet: mysql.users, pg.extra',
        hint: 'POST /api/ingesta/mysql and POST /api/ingesta/pg bring what is missing.',
        run_id: null,
      },
    });
    await given.commit();
    const { database, error } = (await given.get('/both').expect(503)).body;
    expect({ database, hint: error.hint }).toEqual({
      database: 'pg',
      hint: 'POST /api/ingesta/pg brings what is missing.',
    });
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
    await given.commit();
    const { body } = await given.get(`/r?${query}`).expect(400);
    expect(body.error).toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringContaining(message) });
    expect(given.engine.queries).toEqual([]);
  });

  it('bind what they are given, and never paste it', async () => {
    await given.commit();
    await given.get(`/r?word=${encodeURIComponent("';--")}`).expect(200);
    expect(given.engine.queries[0]!.statements[0]).toMatchObject({
      sql: expect.not.stringContaining(';--'),
      parameters: [3, "';--", expect.anything(), expect.anything()],
    });
  });

  it('answer 304 to who has it, without a query', async () => {
    await given.commit();
    const { etag } = (await given.get('/r').expect(200)).headers;
    await given.start();
    for (const known of [etag, `"x", W/${etag}`, '*']) {
      const { headers, text } = await given.get('/r').set('If-None-Match', known!).expect(304);
      expect({ etag: headers.etag, text }).toEqual({ etag, text: '' });
    }
    expect(given.engine.queries).toEqual([]);
    await given.get('/r').set('If-None-Match', '"x"').expect(200);
  });

  it('have another ETag with other data, another parameter, or other SQL', async () => {
    await given.commit();
    const etagOf = async (path: string) => (await given.get(path).expect(200)).headers.etag;
    const etags = [await etagOf('/r'), await etagOf('/r?n=4')];
    await given.commit('mysql', { users: TABLE }, 1);
    etags.push(await etagOf('/r'));
    given.folder.write('p/schema.sql', 'CREATE TABLE mysql_users (id varchar);', 'CREATE TABLE pg_extra (id bigint);');
    await given.start();
    etags.push(await etagOf('/r'));
    expect(new Set(etags).size).toBe(4);
    expect(await etagOf('/r?n=3')).toBe(etags[3]);
  });

  it('have another ETag when a table that statements share is made otherwise, and bind what it takes', async () => {
    const head = ['-- route: /s', '-- summary: S', '-- tables: mysql.users', '-- param: n integer 1..9 = 3'];
    const write = (sql: string) =>
      given.folder.write(
        'p/s.sql',
        ...head,
        '-- name: low :table',
        sql,
        '-- name: all :value',
        'SELECT id AS n FROM low',
      );
    const etags = [];
    await given.commit();
    for (const word of ['<', '>']) {
      write(`SELECT id AS id FROM mysql_users WHERE id ${word} :n`);
      await given.start();
      etags.push((await given.get('/s?n=5').expect(200)).headers.etag);
    }
    expect(new Set(etags).size).toBe(2);
    expect(given.engine.queries[0]!.statements).toEqual([
      {
        sql: 'SELECT id AS n FROM low',
        parameters: [],
        shared: [
          { name: 'low', sql: 'SELECT id AS id FROM mysql_users WHERE id > CAST(? AS bigint)', parameters: [5] },
        ],
      },
    ]);
  });

  it('keep answers until other data is there', async () => {
    await given.commit();
    for (let i = 0; i < 3; i++) await given.get('/r').expect(200);
    expect(given.engine.queries).toHaveLength(1);
    await given.commit('mysql', { users: TABLE }, 1);
    await given.get('/r').expect(200);
    expect(given.engine.queries).toHaveLength(2);
  });

  it('keep nothing where they may not', async () => {
    await given.start({ resultCacheBytes: 0 });
    await given.commit();
    for (let i = 0; i < 3; i++) await given.get('/r').expect(200);
    expect(given.engine.queries).toHaveLength(3);
  });

  it('never mix a snapshot that is published meanwhile into an answer', async () => {
    await given.commit();
    await given.commit('pg', { extra: TABLE }, 0);
    let publish = async () => void (await given.commit('mysql', { users: TABLE }, 1));
    given.engine.answer = async (tables, all) => {
      await publish();
      publish = async () => {};
      const runs = tables.map(({ entry }) => RUNS.indexOf(entry.run_id as never));
      return all.map(() => ({ columns: [{ name: 'n', type: 'integer' }], rows: [[runs[0]!]] }));
    };
    const during = await given.get('/r').expect(200);
    expect({ n: during.body.n, runs: during.headers['ingesta-runs'] }).toEqual({
      n: 0,
      runs: `mysql=${RUNS[0]}, pg=${RUNS[0]}`,
    });
    const after = await given.get('/r').expect(200);
    expect({ n: after.body.n, runs: after.headers['ingesta-runs'] }).toEqual({
      n: 1,
      runs: `mysql=${RUNS[1]}, pg=${RUNS[0]}`,
    });
  });

  it("tell an engine's failure once, without its cause, and try again at the next request", async () => {
    await given.commit();
    given.engine.answer = async () => {
      throw new ApiError('INTERNAL', 'The engine failed', { cause: new Error('canary') });
    };
    const { text, headers } = await given.get('/r').expect(500);
    expect(text).not.toContain('canary');
    expect(headers['ingesta-runs']).toBeUndefined();
    expect(given.lines.join()).toContain('canary');
    given.engine.answer = async () => [{ columns: [{ name: 'n', type: 'integer' }], rows: [[1]] }];
    await given.get('/r').expect(200);
  });

  it('call several rows an error where there may be one', async () => {
    await given.commit();
    given.engine.answer = async () => [{ columns: [{ name: 'n', type: 'integer' }], rows: [[1], [2]] }];
    await given.get('/r').expect(500);
    expect(given.lines.join()).toContain('\\".\\" is :one, and the engine found 2 rows');
  });
});
