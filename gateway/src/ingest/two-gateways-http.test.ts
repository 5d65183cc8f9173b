import { join } from 'node:path';
import type { Lake } from '@ingesta/kit';
import type { Express } from 'express';
import request from 'supertest';
import { Snapshots } from '../analytics/snapshots';
import { createApp } from '../app';
import { HealthService } from '../health/health-service';
import { Metrics } from '../metrics/metrics';
import type { JobSpec } from '../runners/runner';
import { SourcesService } from '../sources/sources-service';
import { FakeRunner, untilStopped } from '../testing/fake-runner';
import { capturedLog, exportTables, givenConfig, givenLake, givenOutcome, givenSource } from '../testing/given';
import { Submissions } from './idempotency';
import { RunsService } from './runs-service';
import { IngestService } from './service';

let lake: Lake;
let env: { LAKE_URL: string };
let remove: () => Promise<void>;
let a: Express;
let b: Express;
let runner: FakeRunner;
const services: IngestService[] = [];

/** Sources of any name, and a script that says what the test wants. */
class AnySource extends FakeRunner {
  override async resolve(name: string) {
    return givenSource({ name });
  }
}

function gateway(name: string, settings: Record<string, string> = {}): Express {
  const config = givenConfig({ ...env, LEASE_TTL: '5', ...settings });
  const open = async () => lake;
  const { log } = capturedLog();
  const metrics = new Metrics('1.2.3');
  const ingestion = new IngestService({
    ...{ config, lake: open, runner, log, gateway: name, metrics },
    credentials: async () => ({}),
    secrets: async () => ({}),
    lakeFolder: async () => null,
    datasets: async () => [],
  });
  services.push(ingestion);
  return createApp({
    ingestion,
    submissions: new Submissions({ ingestion, lake: open, leaseTtlMs: 5000 }),
    runs: new RunsService({ lake: open, ingestion }),
    sources: new SourcesService({ config, runner, lake: open, secrets: async () => ({}) }),
    health: new HealthService({ config, runner, lake: open, snapshots: new Snapshots(open), version: '1.2.3' }),
    metrics,
    log,
    assets: join(__dirname, '../../dist'),
  });
}

beforeEach(async () => {
  ({ lake, env, remove } = await givenLake());
  runner = new AnySource(exporting);
  [a, b] = [gateway('a'), gateway('b')];
});
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.stop()));
  await remove();
});

const exporting = async ({ job }: JobSpec) =>
  givenOutcome({ stdout: Buffer.from(JSON.stringify(await exportTables(lake, job, { users: 'id\n1\n' }))) });
const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
/** Launches wait until they are told to go on. */
function gate(): () => void {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  runner.launch = async (spec) => {
    await opened;
    return exporting(spec);
  };
  return open;
}
const begin = async (app: Express, db = 'mysql') => {
  const { headers } = await request(app).post(`/api/ingesta/${db}`).set('Prefer', 'respond-async').expect(202);
  return headers.location!;
};
const endOf = async (app: Express, location: string) => {
  for (;;) {
    const { body } = await request(app).get(location).expect(200);
    if (body.state !== 'running') return body;
    await pause();
  }
};

describe('a run of another gateway', () => {
  it('is shown while it runs: progress per table, deadline, image, who runs it', async () => {
    const at = new Date().toISOString();
    runner.launch = async (spec, signal, onEvent) => {
      onEvent({ event: 'table_started', at, table: 'users', estimated_rows: 10 });
      onEvent({ event: 'progress', at, table: 'users', rows: 5, bytes: 50 });
      return untilStopped(spec, signal, onEvent);
    };
    const location = await begin(a);
    const shown = async () => (await request(b).get(location).expect(200)).body;
    while (Object.keys((await shown()).progress).length === 0) await pause();
    expect(await shown()).toMatchObject({
      state: 'running',
      gateway: 'a',
      attempts: 1,
      deadline: expect.stringMatching(/Z$/),
      started_at: expect.stringMatching(/Z$/),
      finished_at: null,
      duration_ms: null,
      image: 'ingesta-mysql:latest',
      image_digest: expect.stringMatching(/^sha256:/),
      request: { tables: null, format: 'csv' },
      progress: { users: { state: 'running', rows: 5, bytes: 50, estimated_rows: 10 } },
      error: null,
    });
    expect((await request(b).get('/api/ingesta/runs?state=running')).body.runs).toHaveLength(1);
  });

  it('is refused a rival there, told which run it is and where', async () => {
    const location = await begin(a);
    runner.launch = untilStopped;
    const held = await begin(a, 'other');
    const rival = await request(b).post('/api/ingesta/other').expect(409);
    expect(rival.headers.location).toBe(held);
    expect(rival.body).toMatchObject({ database: 'other', error: { code: 'RUN_IN_PROGRESS' } });
    expect(held).toBe(`/api/ingesta/runs/${rival.body.error.run_id}`);
    await endOf(b, location);
  });

  it('is followed, heard and looked up there to its end', async () => {
    const open = gate();
    const location = await begin(a);
    const following = request(b).get(`${location}/events`).then();
    open();
    const { text } = await following;
    expect(text).toMatch(/^retry: \d+\n\n/);
    expect(text).toMatch(/\nevent: result\ndata: \{"status":"success".*\n\n$/);
    const run = await endOf(b, location);
    expect((await request(b).get('/api/ingesta/mysql/latest').expect(200)).body.run_id).toBe(run.run_id);
    await request(b).get(`${location}/logs`).expect(200);
  });

  it('is cancelled there: its own POST answers 409, and nothing is published', async () => {
    runner.launch = untilStopped;
    const posted = request(a).post('/api/ingesta/mysql').then();
    while (runner.launched.length === 0) await pause();
    const { run_id } = runner.launched[0]!.job;
    await request(b).delete(`/api/ingesta/runs/${run_id}`).expect(202);
    const answer = await posted;
    expect([answer.status, answer.body.error]).toMatchObject([409, { code: 'RUN_CANCELLED', run_id }]);
    const record = await endOf(b, `/api/ingesta/runs/${run_id}`);
    await request(b).get('/api/ingesta/mysql/latest').expect(404);
    expect((await request(b).delete(`/api/ingesta/runs/${run_id}`).expect(200)).body).toEqual(record);
  });
});

describe('more runs than a gateway takes', () => {
  const settings = { MAX_CONCURRENT_RUNS: '1', MAX_QUEUED_RUNS: '1' };

  it('wait for their turn, so many, and the next is sent away with when to come again', async () => {
    const full = gateway('full', settings);
    const open = gate();
    const first = await begin(full, 'one');
    const waiting = request(full).post('/api/ingesta/two').then();
    while (services.at(-1)!.load().queued === 0) await pause();
    const { headers, body } = await request(full).post('/api/ingesta/three').expect(429);
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(body).toMatchObject({ status: 'error', database: 'three', error: { code: 'TOO_MANY_RUNS' } });
    expect(runner.launched).toHaveLength(1);
    // Another gateway has turns of its own.
    const elsewhere = await begin(b, 'three');
    open();
    expect((await waiting).status).toBe(200);
    for (const location of [first, elsewhere]) expect((await endOf(b, location)).state).toBe('succeeded');
  });

  it('are not remembered by the key they came with', async () => {
    const full = gateway('full', { ...settings, MAX_QUEUED_RUNS: '0' });
    const open = gate();
    const first = await begin(full, 'one');
    const again = () => request(full).post('/api/ingesta/two').set('Idempotency-Key', 'night-1');
    await again().expect(429);
    open();
    await endOf(full, first);
    while ((await again()).status === 429) await pause();
    await again().expect(200);
    expect(runner.launched.filter(({ job }) => job.database === 'two')).toHaveLength(1);
  });
});

describe('a deadline', () => {
  it('ends the run with 504, which its record and its events say, too', async () => {
    const hasty = gateway('hasty', { RUN_TIMEOUT: '1' });
    // One that does not end by itself at its deadline.
    runner.launch = untilStopped;
    const { body } = await request(hasty).post('/api/ingesta/mysql').expect(504);
    expect(body.error.code).toBe('RUN_TIMEOUT');
    const location = `/api/ingesta/runs/${body.error.run_id}`;
    expect(await endOf(b, location)).toMatchObject({ state: 'failed', error: { code: 'RUN_TIMEOUT' } });
    expect((await request(b).get(`${location}/events`)).text).toContain('"code":"RUN_TIMEOUT"');
  });
});

describe('another attempt', () => {
  it('follows exit 75, is told with the run, and has keys of its own', async () => {
    runner.launch = async (spec) => (spec.job.attempt === 1 ? givenOutcome({ exitCode: 75 }) : exporting(spec));
    const { body } = await request(a).post('/api/ingesta/mysql').expect(200);
    expect((await request(b).get(`/api/ingesta/runs/${body.run_id}`)).body).toMatchObject({ attempts: 2 });
    const [first, second] = runner.launched.map(({ job }) => job.timestamp);
    expect(second! > first!).toBe(true);
    expect(body.result.users.url).toContain(second);
  });

  it.each([64, 66, 70, 73, 77])('does not follow exit %d', async (exitCode) => {
    runner.launch = async () => givenOutcome({ exitCode });
    const { body } = await request(a).post('/api/ingesta/mysql');
    expect((await request(b).get(`/api/ingesta/runs/${body.error.run_id}`)).body).toMatchObject({ attempts: 1 });
    expect(runner.launched).toHaveLength(1);
  });
});

describe('a dry run', () => {
  it('leaves no run, takes no lease, and goes on beside a run', async () => {
    const open = gate();
    const location = await begin(a);
    const { launch } = runner;
    runner.launch = async ({ job: { database, run_id, attempt, nonce } }) => {
      const plan = { status: 'planned', database, plan: {}, run_id, attempt, nonce, consistency: 'none' };
      return givenOutcome({ stdout: Buffer.from(JSON.stringify(plan)) });
    };
    const { body } = await request(b).post('/api/ingesta/mysql').send({ dry_run: true }).expect(200);
    await request(b).get(`/api/ingesta/runs/${body.run_id}`).expect(404);
    runner.launch = launch;
    open();
    expect((await endOf(b, location)).state).toBe('succeeded');
    expect((await request(b).get('/api/ingesta/runs')).body.runs).toHaveLength(1);
  });
});
