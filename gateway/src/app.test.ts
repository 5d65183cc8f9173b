import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { idempotencyKey, type Lake, pointerKey } from '@ingesta/kit';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import type { Express } from 'express';
import request from 'supertest';
import openApi from '../generated/openapi.json';
import { Snapshots } from './analytics/snapshots';
import { createApp } from './app';
import { ApiError, type ERRORS } from './errors';
import { HealthService } from './health/health-service';
import { Submissions } from './ingest/idempotency';
import { RunsService } from './ingest/runs-service';
import { IngestService } from './ingest/service';
import { Metrics } from './metrics/metrics';
import type { JobSpec } from './runners/runner';
import { SourcesService } from './sources/sources-service';
import { FakeRunner, untilStopped } from './testing/fake-runner';
import { capturedLog, exportTables, givenConfig, givenLake, givenOutcome } from './testing/given';

let lake: Lake;
let remove: () => Promise<void>;
let runner: FakeRunner;
let app: Express;
let lines: string[];
let reachable: boolean;

beforeEach(async () => {
  const found = await givenLake();
  ({ lake, remove } = found);
  reachable = true;
  runner = new FakeRunner(async ({ job }: JobSpec) =>
    givenOutcome({ stdout: Buffer.from(JSON.stringify(await exportTables(lake, job, { users: 'id\n1\n' }))) }),
  );
  const captured = capturedLog();
  lines = captured.lines;
  const openLake = async () => {
    if (!reachable) throw new TypeError('canary: the lake is on fire');
    return lake;
  };
  const config = givenConfig({ ...found.env, API_TITLE: 'Title', DATA_SOURCE: 'Source' });
  const metrics = new Metrics('1.2.3');
  const ingestion = new IngestService({
    config,
    lake: openLake,
    runner,
    log: captured.log,
    gateway: 'gateway-1',
    credentials: async () => ({}),
    secrets: async () => ({}),
    lakeFolder: async () => null,
    datasets: async () => [],
    metrics,
  });
  app = createApp({
    ingestion,
    submissions: new Submissions({ ingestion, lake: openLake, leaseTtlMs: 2000 }),
    runs: new RunsService({ lake: openLake, ingestion }),
    sources: new SourcesService({ config, runner, lake: openLake, secrets: async () => ({}) }),
    health: new HealthService({ config, runner, lake: openLake, snapshots: new Snapshots(openLake), version: '1.2.3' }),
    metrics,
    log: captured.log,
    assets: join(__dirname, '../dist'),
  });
});
afterEach(() => remove());

const errorShape = (code: keyof typeof ERRORS, change: object = {}) => ({
  status: 'error',
  database: null,
  error: { code, message: expect.any(String), hint: expect.any(String), run_id: null },
  ...change,
});

describe('POST /api/ingesta/{db}', () => {
  it('answers with the keys of the contract, in its order', async () => {
    const { body, status } = await request(app).post('/api/ingesta/mysql');
    expect(status).toBe(200);
    const keys = ['status', 'database', 'result', 'run_id', 'consistency', 'duration_ms'];
    expect(Object.keys(body).slice(0, keys.length)).toEqual(keys);
    expect(Object.keys(body.result.users)).toEqual(['url', 'registros', 'bytes', 'sha256', 'dropped_columns']);
    expect(body).toMatchObject({
      status: 'success',
      database: 'mysql',
      result: { users: { url: expect.stringMatching(/^file:\/\/\/.*\/mysql\/users_\d{8}_\d{6}\.csv$/), registros: 1 } },
      run_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      consistency: 'snapshot',
    });
  });

  it.each([undefined, 'application/x-www-form-urlencoded', 'text/plain', 'application/json'])(
    'takes its body under any content type (%s)',
    async (type) => {
      const post = request(app).post('/api/ingesta/mysql');
      if (type) post.set('Content-Type', type);
      await post.send('{"tables":["users"],"format":"csv.gz"}').expect(200);
      expect(runner.launched[0]?.job).toMatchObject({ tables: ['users'], format: 'csv.gz', dry_run: false });
    },
  );

  it.each([
    ['an unknown key', '{"image":"evil"}', 'image'],
    ['a key of the prototype', '{"__proto__":{"dry_run":true},"constructor":1}', 'constructor'],
    ['a format that there is not', '{"format":"parquet"}', 'format'],
    ['tables that are no list', '{"tables":"users"}', 'tables'],
    ['tables that are no names', '{"tables":[1]}', 'tables'],
    ['no tables at all', '{"tables":[]}', 'tables'],
    ['too many tables', `{"tables":[${Array(10_001).fill('"t"').join()}]}`, 'tables'],
    ['text for a boolean', '{"dry_run":"true"}', 'dry_run'],
    ['null for a boolean', '{"dry_run":null}', 'dry_run'],
    ['half a document', '{"tables":[', 'JSON'],
    ['a list', '[]', ''],
    ['null', 'null', ''],
    ['a number', '1', ''],
  ])('refuses %s and says which', async (_what, body, named) => {
    const answer = await request(app).post('/api/ingesta/mysql').set('Content-Type', 'application/json').send(body);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual(errorShape('INVALID_REQUEST'));
    expect(answer.body.error.message).toContain(named);
    expect(runner.asked).toEqual([]);
  });

  it('refuses a body that is too large', async () => {
    const answer = await request(app)
      .post('/api/ingesta/mysql')
      .send({ tables: ['x'.repeat(200_000)] });
    expect(answer.status).toBe(413);
    expect(answer.body).toEqual(errorShape('PAYLOAD_TOO_LARGE'));
  });

  it.each([
    ['..%2fx', 404],
    ['%2e%2e', 404],
    ['mysql;rm', 404],
    ['mysql%00', 404],
    ['mysql%20', 404],
    ['MySQL', 404],
    ['runs', 404],
    ['health', 404],
    ['-mysql', 404],
    ['my%0asql', 404],
    ['a'.repeat(64), 404],
    ['a'.repeat(10_240), 404],
    ['%E0%A4%A', 400],
    ['__proto__', 404],
  ])('never lets the name %.40s reach the runner', async (name, status) => {
    const answer = await request(app).post(`/api/ingesta/${name}`);
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual(errorShape(status === 400 ? 'INVALID_REQUEST' : 'UNKNOWN_SOURCE'));
    if (status === 404) expect(answer.body.error.hint).toContain('mysql, x');
    expect(runner.asked).toEqual([]);
    expect(runner.launched).toEqual([]);
  });

  it('names the run in a failure', async () => {
    runner.launch = async () => givenOutcome({ exitCode: 77 });
    const answer = await request(app).post('/api/ingesta/mysql');
    expect(answer.status).toBe(502);
    expect(answer.body).toMatchObject({
      database: 'mysql',
      error: { code: 'SOURCE_AUTH', run_id: expect.any(String) },
    });
  });

  it('says where the run under way is', async () => {
    let finish: () => void = () => undefined;
    runner.launch = () =>
      new Promise((resolve) => {
        finish = () => resolve(givenOutcome({ exitCode: 1 }));
      });
    const first = request(app).post('/api/ingesta/mysql').then();
    while (runner.launched.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await request(app).post('/api/ingesta/mysql');
    finish();
    const { run_id } = (await first).body.error;
    expect(second.status).toBe(409);
    expect(second.headers.location).toBe(`/api/ingesta/runs/${run_id}`);
    expect(second.body).toEqual(
      errorShape('RUN_IN_PROGRESS', { database: 'mysql', error: expect.objectContaining({ run_id }) }),
    );
  });

  it('tells the plan of a dry run', async () => {
    runner.launch = async ({ job: { database, run_id, attempt, nonce } }) => {
      const users = {
        columns: [],
        dropped_columns: [{ name: 'pwd', reason: 'built-in rule: pwd' }],
        estimated_rows: 7,
      };
      const plan = { status: 'planned', database, plan: { users }, run_id, attempt, nonce, consistency: 'none' };
      return givenOutcome({ stdout: Buffer.from(JSON.stringify(plan)) });
    };
    const { body } = await request(app).post('/api/ingesta/mysql').send({ dry_run: true }).expect(200);
    expect(Object.keys(body)).toEqual(['status', 'database', 'plan', 'run_id', 'consistency']);
    expect(body.plan.users.estimated_rows).toBe(7);
  });

  it('tells nothing of a cause: that is for the log', async () => {
    reachable = false;
    const answer = await request(app).post('/api/ingesta/mysql');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toMatch(/canary|TypeError|\.ts:|node_modules/);
    expect(lines.join('\n')).toContain('canary');
  });
});

describe('runs', () => {
  const post = () => request(app).post('/api/ingesta/mysql');
  const ended = async (location: string) => {
    for (;;) {
      const { body } = await request(app).get(location).expect(200);
      if (body.state !== 'running') return body;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  /** The events of a finished stream. */
  const eventsOf = (text: string) =>
    [...text.matchAll(/^id: (\d+)\nevent: (\w+)\ndata: (.*)$/gm)].map(([, id, event, data]) => ({
      id: Number(id),
      event,
      data: JSON.parse(data!),
    }));

  it('answer 202 at once when asked to, and tell their end where Location points', async () => {
    const accepted = await post().set('Prefer', 'wait=5, Respond-Async').expect(202);
    const { run_id } = accepted.body;
    expect(accepted.body).toEqual({ status: 'running', database: 'mysql', run_id });
    expect(accepted.headers).toMatchObject({ location: `/api/ingesta/runs/${run_id}` });
    const run = await ended(accepted.headers.location!);
    expect(run).toMatchObject({
      state: 'succeeded',
      error: null,
      attempts: 1,
      gateway: 'gateway-1',
      consistency: 'snapshot',
    });
    expect(run.result.users).toMatchObject({ registros: 1, sha256: expect.any(String) });
    await request(app)
      .get(`/api/ingesta/runs/${run_id}/logs`)
      .expect(200)
      .expect('Content-Type', /x-ndjson/);
  });

  it('tell afterwards what their POST answered', async () => {
    const { body } = await post().expect(200);
    const run = (await request(app).get(`/api/ingesta/runs/${body.run_id}`)).body;
    expect(run.result).toEqual(body.result);
    expect(run.duration_ms).toBe(body.duration_ms);
    runner.launch = async () => givenOutcome({ exitCode: 77 });
    const failed = (await post().expect(502)).body;
    const { error } = (await request(app).get(`/api/ingesta/runs/${failed.error.run_id}`)).body;
    expect({ ...error, run_id: failed.error.run_id }).toEqual(failed.error);
  });

  it('are listed, newest first, by database and state', async () => {
    const first = (await post()).body.run_id;
    runner.launch = async () => givenOutcome({ exitCode: 77 });
    const second = (await post()).body.error.run_id;
    const ids = async (query: string) =>
      (await request(app).get(`/api/ingesta/runs${query}`).expect(200)).body.runs.map(
        ({ run_id }: { run_id: string }) => run_id,
      );
    expect(await ids('')).toEqual([second, first]);
    expect(await ids('?db=mysql&state=failed')).toEqual([second]);
    expect(await ids('?db=other')).toEqual([]);
    const page = (await request(app).get('/api/ingesta/runs?limit=1')).body;
    expect(page.runs).toHaveLength(1);
    expect(await ids(`?limit=1&cursor=${page.next_cursor}`)).toEqual([first]);
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'state=odd', 'cursor=odd'])
      expect((await request(app).get(`/api/ingesta/runs?${query}`)).body.error?.code).toBe('INVALID_REQUEST');
  });

  it.each(['get', 'delete'] as const)('that there are not are 404 (%s)', async (method) => {
    for (const id of ['x', '..%2f..%2fcurrent', '01890a5d-ac96-774b-bcce-b302099a8057']) {
      const answer = await request(app)[method](`/api/ingesta/runs/${id}`);
      expect([answer.status, answer.body.error.code]).toEqual([404, 'RUN_NOT_FOUND']);
    }
  });

  it('are followed as events, on the POST itself and by their id, to the same end', async () => {
    const stream = await post()
      .set('Accept', 'text/event-stream')
      .expect(200)
      .expect('Content-Type', /event-stream/);
    const own = eventsOf(stream.text);
    expect(own.at(-1)).toMatchObject({
      event: 'result',
      data: { status: 'success', result: { users: { registros: 1 } } },
    });
    const { run_id } = own.at(-1)!.data;
    const again = await request(app).get(`/api/ingesta/runs/${run_id}/events`).expect(200);
    expect(eventsOf(again.text)).toEqual([own.at(-1)]);
    const later = (id: number) =>
      request(app).get(`/api/ingesta/runs/${run_id}/events`).set('Last-Event-ID', String(id));
    expect(eventsOf((await later(0).expect(200)).text)).toEqual([own.at(-1)]);
    await later(own.at(-1)!.id).expect(204);
    expect((await later(NaN)).status).toBe(400);
  });

  it('that fail end their events with the error', async () => {
    runner.launch = async () => givenOutcome({ exitCode: 77 });
    const events = eventsOf((await post().set('Accept', 'text/event-stream').expect(200)).text);
    expect(events.at(-1)).toMatchObject({ event: 'error', data: { status: 'error', error: { code: 'SOURCE_AUTH' } } });
  });

  it('that are refused before they begin say so in the usual way, also to who wanted events or 202', async () => {
    for (const header of [{ Accept: 'text/event-stream' }, { Prefer: 'respond-async' }]) {
      const answer = await request(app).post('/api/ingesta/x').set(header);
      expect([answer.status, answer.body.error.code]).toEqual([503, 'IMAGE_NOT_FOUND']);
    }
  });

  it('leave nothing of their answers in those of other requests', async () => {
    const { location } = (await post().set('Prefer', 'respond-async').expect(202)).headers;
    await ended(location!);
    await request(app).get(`${location}/logs`).expect(200);
    const list = await request(app).get('/api/ingesta/runs').expect(200);
    expect(list.headers).toMatchObject({ 'content-type': expect.stringMatching('^application/json') });
    let answer = await post();
    // The lease is given back a moment after the record says that the run is over.
    while (answer.status === 409) answer = await post();
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('location');
  });

  it('are cancelled, and stay as they are when they are over', async () => {
    runner.launch = untilStopped;
    const { location } = (await post().set('Prefer', 'respond-async')).headers;
    await request(app).delete(location!).expect(202);
    expect(await ended(location!)).toMatchObject({ state: 'cancelled', error: { code: 'RUN_CANCELLED' } });
    expect((await request(app).delete(location!).expect(200)).body.state).toBe('cancelled');
  });

  it('leave the latest snapshot, with its columns', async () => {
    const none = await request(app).get('/api/ingesta/mysql/latest');
    expect([none.status, none.body.error.code]).toEqual([404, 'NOT_FOUND']);
    const { run_id } = (await post()).body;
    const { body } = await request(app).get('/api/ingesta/mysql/latest').expect(200);
    expect(body).toMatchObject({ database: 'mysql', run_id, tables: { users: { registros: 1, run_id } } });
    expect(body.tables.users.columns).toEqual([
      { name: 'id', source_type: 'int', logical_type: 'integer', nullable: false },
    ]);
    expect((await request(app).get('/api/ingesta/..%2f/latest')).status).toBe(404);
  });
});

describe('Idempotency-Key', () => {
  const post = (key = 'night-1') => request(app).post('/api/ingesta/mysql').set('Idempotency-Key', key);

  it('gives the same answer again, without another run', async () => {
    const first = await post().expect(200);
    expect((await post().expect(200)).body).toEqual(first.body);
    expect((await post().set('Prefer', 'respond-async').expect(202)).body.run_id).toBe(first.body.run_id);
    expect(runner.launched).toHaveLength(1);
    expect((await post('night-2').expect(200)).body.run_id).not.toBe(first.body.run_id);
  });

  it('joins the run under way', async () => {
    const launch = runner.launch;
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    runner.launch = async (...args) => {
      await held;
      return launch(...args);
    };
    const both = [post().then(), post().then()];
    while (runner.launched.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    finish();
    const [first, second] = await Promise.all(both);
    expect([first!.status, second!.body]).toEqual([200, first!.body]);
    expect(runner.launched).toHaveLength(1);
  });

  it('is for one request only', async () => {
    await post().expect(200);
    const other = await post().send({ tables: ['users'] });
    expect([other.status, other.body.error.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH']);
  });

  it('starts a new run after one that failed', async () => {
    const { launch } = runner;
    runner.launch = async () => givenOutcome({ exitCode: 77 });
    const failed = (await post().expect(502)).body.error.run_id;
    runner.launch = launch;
    expect((await post().expect(200)).body.run_id).not.toBe(failed);
  });

  it('remembers a refusal that would come again, and forgets a conflict', async () => {
    const missing =
      '{"status":"error","database":"mysql","error":{"code":"TABLE_NOT_FOUND","message":"no t","hint":"h","run_id":null}}';
    const { launch } = runner;
    runner.launch = async () => givenOutcome({ exitCode: 66, stdout: Buffer.from(missing) });
    const first = await post().expect(422);
    runner.launch = launch;
    const { hint, ...same } = (await post().expect(422)).body.error;
    expect({ ...same, hint: 'h' }).toEqual(first.body.error);
    expect(hint).toMatch(/^h This answer is kept for the Idempotency-Key/);

    runner.launch = untilStopped;
    const { location } = (await post('running').set('Prefer', 'respond-async').expect(202)).headers;
    expect((await post('second').expect(409)).headers.location).toBe(location);
    await request(app).delete(location!).expect(202);
    runner.launch = launch;
    while ((await post('second')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('resolves what a crash left: a key whose run never began is tried again', async () => {
    const hash = createHash('sha256').update(JSON.stringify(['anybody', 'POST', '/api/ingesta/mysql', 'night-1']));
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([null, 'csv']))
      .digest('hex');
    const record = { fingerprint, run_id: '01890a5d-ac96-774b-bcce-b302099a8057', state: 'taken', error: null };
    await lake.putIfAbsent(idempotencyKey(hash.digest('hex')), Buffer.from(JSON.stringify(record)));
    const { body } = await post().expect(200);
    expect(body.run_id).not.toBe(record.run_id);
    expect((await post().expect(200)).body).toEqual(body);
  });

  it.each(['', 'with space', 'x'.repeat(256)])('refuses the key "%.20s"', async (key) => {
    expect((await post(key)).body.error.code).toBe('INVALID_REQUEST');
    expect(runner.launched).toEqual([]);
  });
});

describe('GET /api/ingesta', () => {
  it('lists the sources with what they lack and their last run', async () => {
    const first = await request(app).get('/api/ingesta').expect(200);
    expect(first.body).toEqual({
      sources: [
        {
          name: 'mysql',
          title: 'MySQL',
          image: 'ingesta-mysql:latest',
          present: true,
          hint: null,
          missing_env: [],
          last_run: null,
        },
        {
          name: 'x',
          title: 'X',
          image: 'ingesta-x:latest',
          present: false,
          hint: 'Build it: ./build-images.sh x',
          missing_env: null,
          last_run: null,
        },
      ],
    });
    const { run_id } = (await request(app).post('/api/ingesta/mysql')).body;
    const second = await request(app).get('/api/ingesta');
    expect(second.body.sources[0].last_run).toMatchObject({ run_id, age_seconds: expect.any(Number) });
    reachable = false;
    expect((await request(app).get('/api/ingesta').expect(200)).body.sources[0].last_run).toBeNull();
  });

  it('says what is wrong with the runner', async () => {
    runner.broken = new ApiError('RUNNER_UNAVAILABLE', 'no engine');
    const answer = await request(app).get('/api/ingesta');
    expect(answer.status).toBe(503);
    expect(answer.body).toEqual(errorShape('RUNNER_UNAVAILABLE'));
  });
});

describe('health', () => {
  it('GET / says what this is, also when the runner is away', async () => {
    const expected = {
      message: 'Title',
      version: '1.2.3',
      status: 'OK',
      data_source: 'Source',
      available_databases: ['MySQL', 'X'],
      endpoints: {},
    };
    expect((await request(app).get('/').expect(200)).body).toEqual(expected);
    runner.broken = new ApiError('RUNNER_UNAVAILABLE', 'no engine');
    expect((await request(app).get('/').expect(200)).body).toEqual(expected);
  });

  it('GET /health tells the data that is there', async () => {
    await request(app).post('/api/ingesta/mysql').expect(200);
    expect((await request(app).get('/health').expect(200)).body).toEqual({
      status: 'OK',
      analytics: {},
      timestamp: expect.any(String),
      data_availability: { mysql: { users: true } },
      bucket_summary: { total_objects: 1, total_size_mb: expect.any(Number) },
      data_age_seconds: { mysql: expect.any(Number) },
    });
  });

  it('GET /health stays 200 while the lake is out of reach', async () => {
    reachable = false;
    const { body } = await request(app).get('/health').expect(200);
    expect(body).toMatchObject({ status: 'DEGRADED', data_availability: {} });
    expect(body.problem).not.toContain('canary');
  });

  it('GET /health says DEGRADED when a pointer is broken', async () => {
    await lake.putIfAbsent(pointerKey('mysql'), Buffer.from('{}'));
    expect((await request(app).get('/health').expect(200)).body.status).toBe('DEGRADED');
  });

  it('GET /api/ingesta/health tells each part’s state', async () => {
    const { body } = await request(app).get('/api/ingesta/health').expect(200);
    expect(body).toMatchObject({
      status: 'DEGRADED',
      runner: { state: 'ok', hint: null },
      images: { mysql: { state: 'ok' }, x: { state: 'failing', hint: 'Build it: ./build-images.sh x' } },
      lake: { state: 'ok' },
    });
    runner.broken = new ApiError('RUNNER_UNAVAILABLE', 'no engine', { hint: 'start it' });
    reachable = false;
    const failing = (await request(app).get('/api/ingesta/health').expect(200)).body;
    expect(failing).toMatchObject({ runner: { state: 'failing', hint: 'start it' }, lake: { state: 'failing' } });
    expect(JSON.stringify(failing)).not.toContain('canary');
  });

  it.each(['/livez', '/readyz'])('GET %s', async (path) => {
    expect((await request(app).get(path).expect(200)).body).toEqual({ status: 'OK' });
  });
});

describe('GET /metrics', () => {
  const linesOf = async (name: string) =>
    (await request(app).get('/metrics').expect(200)).text.split('\n').filter((line) => line.startsWith(name));

  it('tells runs, rows, and leases in the format of Prometheus', async () => {
    await request(app).post('/api/ingesta/mysql').expect(200);
    runner.launch = async () => givenOutcome({ exitCode: 77 });
    await request(app).post('/api/ingesta/mysql').expect(502);
    const { headers } = await request(app).get('/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect((await linesOf('ingesta_runs_total')).sort()).toEqual([
      'ingesta_runs_total{database="mysql",state="failed",code="SOURCE_AUTH"} 1',
      'ingesta_runs_total{database="mysql",state="succeeded",code=""} 1',
    ]);
    expect(await linesOf('ingesta_exported_rows_total')).toEqual(['ingesta_exported_rows_total{database="mysql"} 1']);
    expect(await linesOf('ingesta_lease_acquire_seconds_count')).toEqual([
      'ingesta_lease_acquire_seconds_count{database="mysql",outcome="acquired"} 2',
    ]);
  });

  it('names requests by their route, and nothing by what a caller made up', async () => {
    await request(app).get('/api/ingesta/canary/latest');
    await request(app).post('/api/ingesta/canary');
    await request(app).get('/canary/analytics');
    await request(app).get('/redoc/canary');
    const { text } = await request(app).get('/metrics');
    expect(text).not.toContain('canary');
    expect(await linesOf('ingesta_http_request_duration_seconds_count')).toEqual(
      expect.arrayContaining([
        'ingesta_http_request_duration_seconds_count{method="GET",route="/api/ingesta/:db/latest",status="404"} 1',
        'ingesta_http_request_duration_seconds_count{method="POST",route="/api/ingesta/:db",status="404"} 1',
        'ingesta_http_request_duration_seconds_count{method="GET",route="none",status="404"} 2',
      ]),
    );
  });
});

describe('documentation', () => {
  it('GET /openapi.json is a valid OpenAPI 3 document with every route', async () => {
    const { body } = await request(app).get('/openapi.json').expect(200);
    expect(body.openapi).toMatch(/^3\./);
    const problems = await lintFromString({
      source: JSON.stringify(body),
      config: await createConfig({ extends: ['spec'] }),
    });
    expect(problems.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([]);
    expect(Object.keys(body.paths).sort()).toEqual(
      [
        '/',
        '/api/ingesta',
        '/api/ingesta/health',
        '/api/ingesta/{db}',
        '/api/ingesta/{db}/latest',
        '/api/ingesta/runs',
        '/api/ingesta/runs/{run_id}',
        '/api/ingesta/runs/{run_id}/events',
        '/api/ingesta/runs/{run_id}/logs',
        '/health',
        '/livez',
        '/metrics',
        '/readyz',
      ].sort(),
    );
  });

  it('gives sizes and counts 64 bits', () => {
    const { registros, bytes } = openApi.components.schemas.IngestedTable.properties;
    expect([registros.format, bytes.format]).toEqual(['int64', 'int64']);
  });

  it.each(['/docs', '/redoc'])('GET %s is a page whose scripts and styles are all here', async (path) => {
    const page = await request(app).get(path).redirects(1).expect(200).expect('Content-Type', /html/);
    // Where the browser is after redirects decides what relative addresses mean.
    const base = page.redirects.at(-1) ?? `http://gateway${path}`;
    const linked = [...page.text.matchAll(/(?:src|href|spec-url)="([^"]+)"/g)].map(([, link]) => new URL(link!, base));
    expect(linked.length).toBeGreaterThan(1);
    for (const { pathname } of linked) await request(app).get(pathname).expect(200);
  });

  it('loads nothing from elsewhere', async () => {
    for (const path of ['/docs/', '/redoc'])
      expect((await request(app).get(path)).text).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it('serves the assets’ folder and nothing above it', async () => {
    expect(readdirSync(join(__dirname, '../dist'))).toContain('main.js');
    for (const path of ['/redoc/..%2fmain.js', '/redoc/%2e%2e/main.js', '/redoc/main.js']) {
      await request(app).get(path).expect(404);
    }
  });
});

describe('any request', () => {
  it('that no route takes is 404', async () => {
    for (const answer of [await request(app).get('/nope'), await request(app).delete('/api/ingesta/mysql')]) {
      expect(answer.status).toBe(404);
      expect(answer.body).toEqual(errorShape('NOT_FOUND'));
    }
  });

  it('that meets a defect of ours is told without its cause, which is logged once', async () => {
    runner.broken = new TypeError('canary');
    const answer = await request(app).get('/api/ingesta');
    expect(answer.status).toBe(500);
    expect(answer.body).toEqual(errorShape('INTERNAL'));
    expect(answer.text).not.toContain('canary');
    expect(lines.filter((line) => line.includes('canary'))).toHaveLength(1);
  });

  it('is answered without naming the framework', async () => {
    for (const path of ['/', '/nope', '/docs/', '/redoc', '/openapi.json']) {
      expect((await request(app).get(path)).headers).not.toHaveProperty('x-powered-by');
    }
  });

  it('may be HEAD', async () => {
    const answer = await request(app).head('/health').expect(200);
    expect(answer.text ?? '').toBe('');
    await request(app).head('/nope').expect(404);
    await request(app).head('/api/ingesta/mysql').expect(404);
    expect(runner.launched).toEqual([]);
  });

  it('may be OPTIONS', async () => {
    expect((await request(app).options('/api/ingesta/mysql').expect(200)).headers.allow).toBe('POST');
    expect((await request(app).options('/health').expect(200)).headers.allow).toContain('GET');
    await request(app).options('/nope').expect(404);
    expect(runner.launched).toEqual([]);
  });
});
