import { type Lake, LakeError, lockKey, type Manifest, runKeys } from '@ingesta/kit';
import { ApiError } from '../errors';
import type { JobSpec } from '../runners/runner';
import { readCurrent } from '../runs/publication';
import type { ClaimedObject, Verifier } from '../runs/verifier/verifier';
import { FakeRunner, untilStopped } from '../testing/fake-runner';
import { capturedLog, exportTables, givenConfig, givenLake, givenOutcome, keysOf, readJson } from '../testing/given';
import type { IngestRequest } from './job';
import { IngestService, type IngestServices } from './service';

const ALL: IngestRequest = { tables: null, format: 'csv', dryRun: false };

let lake: Lake;
let env: { LAKE_URL: string };
let remove: () => Promise<void>;
beforeEach(async () => ({ lake, env, remove } = await givenLake()));
afterEach(() => remove());

/** A secret of several lines. */
const PEM = '-----BEGIN PRIVATE KEY-----\ncanaryMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END PRIVATE KEY-----';

const printed = (document: unknown) => givenOutcome({ stdout: Buffer.from(JSON.stringify(document)) });
const exporting =
  (tables: Record<string, string>) =>
  async ({ job }: JobSpec) =>
    printed(await exportTables(lake, job, tables));

function given(
  runner: FakeRunner,
  through: Lake = lake,
  more: Record<string, string> = {},
  published?: IngestServices['published'],
  verifier?: Verifier,
  secrets: IngestServices['secrets'] = async () => ({}),
) {
  const { log, lines } = capturedLog();
  const service = new IngestService({
    config: givenConfig({ ...env, ...more }),
    lake: async () => through,
    runner,
    log,
    gateway: 'gateway-1',
    credentials: async () => ({ AWS_SESSION_TOKEN: 'canary-token' }),
    secrets,
    lakeFolder: async () => null,
    datasets: async () => [],
    ...(published && { published }),
    ...(verifier && { verifier }),
  });
  return { service, lines, logged: () => lines.map((line) => JSON.parse(line)) };
}
const failureOf = (promise: Promise<unknown>): Promise<ApiError> =>
  promise.then(
    () => Promise.reject(new Error('no failure')),
    (error: ApiError) => error,
  );
const recordOf = (runId: string | undefined) => readJson(lake, runKeys('mysql', runId ?? '').run);

describe('a run that succeeds', () => {
  it('says of its new snapshot when it is over, and answers with what is said', async () => {
    const told: Manifest[] = [];
    let say: (states: Record<string, string>) => void = () => undefined;
    const published = (manifest: Manifest) => {
      told.push(manifest);
      return new Promise<Record<string, string>>((resolve) => {
        say = resolve;
      });
    };
    const { service } = given(new FakeRunner(exporting({ users: 'id\n1\n' })), lake, {}, published);
    const { runId, done } = await service.start('mysql', ALL);
    while (told.length === 0) await new Promise(setImmediate);
    expect(told).toMatchObject([{ run_id: runId, tables: { users: { rows: 1 } } }]);
    // Nothing of the run is left: the next one may begin.
    expect(await recordOf(runId)).toMatchObject({ state: 'succeeded' });
    expect(service.isBusy('mysql')).toBe(false);
    say({ users: 'pending' });
    expect(await done).toMatchObject({ status: 'success', analytics: { users: 'pending' } });
  });

  it('leaves a manifest, a pointer to it, and a closed record', async () => {
    const { service } = given(new FakeRunner(exporting({ users: 'id\n1\n2\n' })));
    const result = await service.ingest('mysql', ALL);
    expect(result.result.users).toMatchObject({ registros: 2 });
    expect(await recordOf(result.run_id)).toMatchObject({
      state: 'succeeded',
      consistency: 'snapshot',
      runner: 'docker',
      image: 'ingesta-mysql:latest',
      request: { tables: null, format: 'csv', dry_run: false },
      error: null,
      finished_at: expect.any(String),
      duration_ms: expect.any(Number),
    });
    const current = await readCurrent(lake, 'mysql');
    expect(current?.manifest).toMatchObject({ run_id: result.run_id, tables: { users: { rows: 2 } } });
  });

  it('replaces a snapshot whose manifest is gone; one over some tables does not, and says what does', async () => {
    const runner = new FakeRunner(exporting({ users: 'id\n1\n' }));
    const { service } = given(runner);
    const first = await service.ingest('mysql', ALL);
    await lake.delete(runKeys('mysql', first.run_id).manifest);
    // The epoch then has to come from the pointer.
    await lake.delete(lockKey('mysql'));
    expect(await failureOf(service.ingest('mysql', { ...ALL, tables: ['users'] }))).toMatchObject({
      code: 'LAKE_UNAVAILABLE',
      message: expect.stringContaining(runKeys('mysql', first.run_id).manifest),
      hint: expect.stringContaining('POST without "tables"'),
    });
    await expect(readCurrent(lake, 'mysql')).rejects.toMatchObject({ code: 'LAKE_UNAVAILABLE' });
    expect(runner.launched).toHaveLength(1);
    const second = await service.ingest('mysql', ALL);
    expect((await readCurrent(lake, 'mysql'))?.manifest).toMatchObject({
      run_id: second.run_id,
      tables: { users: {} },
    });
  });

  it('hands the script a job of its own each time', async () => {
    const runner = new FakeRunner(exporting({ users: 'id\n' }));
    const { service } = given(runner, lake, { RUN_TIMEOUT: '60' });
    await service.ingest('mysql', { ...ALL, tables: ['users'] });
    await service.ingest('mysql', ALL);
    const [first, second] = runner.launched.map(({ job }) => job);
    expect(first).toMatchObject({ tables: ['users'], attempt: 1, dry_run: false, env: { MYSQL_HOST: 'db.example' } });
    expect(Date.parse(first!.deadline!) - Date.now()).toBeLessThanOrEqual(60_000);
    for (const field of ['run_id', 'nonce', 'timestamp'] as const) expect(first![field]).not.toBe(second![field]);
  });

  it('has succeeded also where its record cannot be closed', async () => {
    const through: Lake = Object.assign(Object.create(lake), {
      putIfMatch: async (key: string, body: Uint8Array, etag: string) => {
        if (key.endsWith('run.json')) throw new LakeError('unavailable', 'blink', '');
        return lake.putIfMatch(key, body, etag);
      },
      ...bound('get', 'head', 'putIfAbsent', 'urlOf'),
    });
    const { service, logged } = given(new FakeRunner(exporting({ users: 'id\n' })), through);
    const result = await service.ingest('mysql', ALL);
    expect(result.status).toBe('success');
    expect((await readCurrent(lake, 'mysql'))?.manifest?.run_id).toBe(result.run_id);
    expect(logged()).toContainEqual(expect.objectContaining({ level: 'warn', cause: 'blink' }));
  });
});

/** Methods of the real lake, for one that is made from it. */
const bound = (...names: (keyof Lake)[]) =>
  Object.fromEntries(names.map((name) => [name, (lake[name] as (...args: never[]) => unknown).bind(lake)]));

describe('a run that fails', () => {
  it('leaves the pointer as it was and says why in its record', async () => {
    const runner = new FakeRunner(exporting({ users: 'id\n1\n' }));
    const { service } = given(runner);
    await service.ingest('mysql', ALL);
    const before = (await readCurrent(lake, 'mysql'))?.manifest;
    runner.launch = async () => givenOutcome({ exitCode: 77, stderrTail: 'Access denied' });
    const error = await failureOf(service.ingest('mysql', ALL));
    expect(error).toMatchObject({ code: 'SOURCE_AUTH', database: 'mysql', runId: expect.any(String) });
    expect(await recordOf(error.runId)).toMatchObject({ state: 'failed', error: { code: 'SOURCE_AUTH' } });
    expect((await readCurrent(lake, 'mysql'))?.manifest).toEqual(before);
  });

  it('is one also when the script lies about its objects', async () => {
    const { service } = given(
      new FakeRunner(async ({ job }) => {
        const result = await exportTables(lake, job, { users: 'id\n1\n' });
        result.result.users!.bytes += 1;
        return printed(result);
      }),
    );
    const error = await failureOf(service.ingest('mysql', ALL));
    expect(error.code).toBe('SCRIPT_FAILED');
    expect((await readCurrent(lake, 'mysql'))?.manifest).toBeNull();
    expect(await recordOf(error.runId)).toMatchObject({ state: 'failed' });
  });

  it('is one also when the runner itself breaks, and the cause is for the log only', async () => {
    const { service, logged } = given(
      new FakeRunner(async () => {
        throw new TypeError('inner canary');
      }),
    );
    const error = await failureOf(service.ingest('mysql', ALL));
    expect(error).toMatchObject({ code: 'INTERNAL', message: expect.not.stringContaining('canary') });
    expect(await recordOf(error.runId)).toMatchObject({ state: 'failed', error: { code: 'INTERNAL' } });
    expect(logged().at(-1)).toMatchObject({ level: 'error', cause: expect.stringContaining('inner canary') });
  });

  it('logs a cause only where there is a deeper one', async () => {
    const shallow = given(new FakeRunner(async () => givenOutcome({ exitCode: 77 })));
    await failureOf(shallow.service.ingest('mysql', ALL));
    expect(shallow.logged().at(-1)).not.toHaveProperty('cause');
    const deep = given(
      new FakeRunner(async () => {
        throw new ApiError('RUNNER_UNAVAILABLE', 'no engine', { cause: new Error('EACCES') });
      }),
    );
    await failureOf(deep.service.ingest('mysql', ALL));
    expect(deep.logged().at(-1)).toMatchObject({ message: 'no engine', cause: expect.stringContaining('EACCES') });
  });

  it('tells no secret of its job, neither to the caller nor to the log', async () => {
    const { service, lines } = given(
      new FakeRunner(async (_spec, _signal, onEvent) => {
        const say = (message: string) =>
          onEvent({ event: 'log', at: new Date().toISOString(), level: 'info', message });
        say('using canary-token');
        // Across the end of what is kept of a line.
        say(`${'x'.repeat(3995)}canary-token`);
        for (const line of PEM.split('\n')) say(line);
        return givenOutcome({ exitCode: 1, stderrTail: 'Error: canary-token' });
      }),
      lake,
      { MYSQL_PASSWORD: PEM },
    );
    const { message, hint, runId } = await failureOf(service.ingest('mysql', ALL));
    const kept = (await lake.get(runKeys('mysql', runId!).log))!.body.toString();
    expect(kept).toContain('using ***');
    expect(message + hint + lines.join() + kept).not.toMatch(/canary|cana"/);
  });

  it('keeps the log of the gateway short where a script says ever more', async () => {
    const { service, logged } = given(
      new FakeRunner(async (_spec, _signal, onEvent) => {
        const at = new Date().toISOString();
        for (let n = 1; n <= 5000; n += 1) onEvent({ event: 'log', at, level: 'info', message: `line ${n}` });
        onEvent({ event: 'table_finished', at, table: 'users', rows: 1, bytes: 2 });
        return givenOutcome({ exitCode: 1 });
      }),
    );
    const { runId } = await failureOf(service.ingest('mysql', ALL));
    expect(logged().filter(({ from }) => from === 'script')).toHaveLength(1000);
    expect(logged().filter(({ message }) => /says more/.test(message))).toHaveLength(1);
    expect(logged()).toContainEqual(expect.objectContaining({ message: 'table finished', table: 'users' }));
    expect((await lake.get(runKeys('mysql', runId!).log))!.body.toString()).toContain('line 5000');
  });

  it('before its launch leaves no trace', async () => {
    const { service } = given(new FakeRunner(), lake, { MYSQL_HOST: 'localhost' });
    expect(await failureOf(service.ingest('mysql', ALL))).toMatchObject({ code: 'SOURCE_CONFIG', database: 'mysql' });
    expect((await failureOf(service.ingest('x', ALL))).code).toBe('IMAGE_NOT_FOUND');
    expect((await failureOf(service.ingest('y', ALL))).code).toBe('UNKNOWN_SOURCE');
    expect(await keysOf(lake)).toEqual([]);
  });
});

it('publishes nothing that does not stand up to being read back', async () => {
  const read: ClaimedObject[][] = [];
  let refusal: Error | null = new ApiError('SCRIPT_FAILED', 'another SHA-256');
  const verifier: Verifier = {
    readBack: async (objects) => {
      read.push([...objects]);
      if (refusal) throw refusal;
    },
  };
  const { service } = given(new FakeRunner(exporting({ users: 'id\n1\n' })), lake, {}, undefined, verifier);
  expect(await failureOf(service.ingest('mysql', ALL))).toMatchObject({ code: 'SCRIPT_FAILED' });
  expect((await readCurrent(lake, 'mysql'))?.manifest).toBeNull();
  refusal = null;
  const { run_id } = await service.ingest('mysql', ALL);
  expect(read.at(-1)).toMatchObject([{ table: 'users', rows: 1, columns: ['id'], compressed: false }]);
  expect((await readCurrent(lake, 'mysql'))?.manifest).toMatchObject({ run_id });
});

describe('a dry run', () => {
  it('answers the plan and leaves no trace', async () => {
    const runner = new FakeRunner(async ({ job: { database, run_id, attempt, nonce } }) =>
      printed({ status: 'planned', database, plan: {}, run_id, attempt, nonce, consistency: 'none' }),
    );
    const { service } = given(runner);
    expect(await service.plan('mysql', { ...ALL, dryRun: true })).toMatchObject({ status: 'planned', plan: {} });
    expect(await keysOf(lake)).toEqual([]);
  });
});

describe('one run of a database at a time', () => {
  it('answers the second POST with the run under way, and takes the next one afterwards', async () => {
    const runner = new FakeRunner();
    let finish: () => void = () => undefined;
    runner.launch = (spec) =>
      new Promise((resolve) => {
        finish = () => resolve(exporting({ users: 'id\n' })(spec));
      });
    const { service } = given(runner);
    const first = service.ingest('mysql', ALL);
    const second = await failureOf(service.ingest('mysql', ALL));
    while (runner.launched.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const { run_id } = runner.launched[0]!.job;
    expect(second).toMatchObject({
      code: 'RUN_IN_PROGRESS',
      runId: run_id,
    });
    finish();
    await first;
    runner.launch = exporting({ users: 'id\n' });
    await service.ingest('mysql', ALL);
  });
});

describe('stop', () => {
  it('ends the run under way, which publishes nothing, and takes no more', async () => {
    const runner = new FakeRunner(untilStopped);
    const { service } = given(runner);
    const running = failureOf(service.ingest('mysql', ALL));
    while (runner.launched.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await service.stop();
    const error = await running;
    expect(error.code).toBe('LEASE_LOST');
    expect(await recordOf(error.runId)).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' } });
    expect((await readCurrent(lake, 'mysql'))?.manifest).toBeNull();
    expect((await failureOf(service.ingest('mysql', ALL))).code).toBe('LEASE_LOST');
  });

  it.each([false, true])('does not wait for a source that does not say what it is (dry run: %s)', async (dryRun) => {
    const runner = new FakeRunner();
    const asked = new Promise<void>((resolve) => {
      runner.resolve = () => {
        resolve();
        return new Promise(() => undefined);
      };
    });
    const { service } = given(runner);
    const request = { ...ALL, dryRun };
    const running = failureOf(dryRun ? service.plan('mysql', request) : service.ingest('mysql', request));
    await asked;
    await service.stop();
    expect((await running).code).toBe('LEASE_LOST');
  });
});

it('is not held up past a cancel by a store of secrets that is silent', async () => {
  const { service } = given(new FakeRunner(exporting({ users: 'id\n' })), lake, {}, undefined, undefined, asked);
  let times = 0;
  // What is asked before the lease is answered.
  function asked() {
    times += 1;
    return times === 1 ? Promise.resolve({}) : new Promise<never>(() => undefined);
  }
  const { runId, done } = await service.start('mysql', ALL);
  while (times < 2) await new Promise(setImmediate);
  expect(service.cancel({ database: 'mysql', run_id: runId })).toBe(true);
  expect((await failureOf(done)).code).toBe('RUN_CANCELLED');
  expect(await recordOf(runId)).toMatchObject({ state: 'cancelled' });
  expect(await readJson(lake, '_ingesta/locks/mysql.json')).toMatchObject({ state: 'free' });
});

it('stops a script that runs past its deadline', async () => {
  const { service } = given(new FakeRunner(untilStopped), lake, { RUN_TIMEOUT: '1' });
  const error = await failureOf(service.ingest('mysql', ALL));
  expect(error.code).toBe('RUN_TIMEOUT');
  expect(await recordOf(error.runId)).toMatchObject({ state: 'failed', error: { code: 'RUN_TIMEOUT' } });
});
