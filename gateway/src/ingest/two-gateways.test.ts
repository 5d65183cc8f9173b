import { type Lake, LakeError, lockKey, pointerKey, runKeys } from '@ingesta/kit';
import type { ApiError } from '../errors';
import type { JobSpec } from '../runners/runner';
import { Patrol } from '../runs/patrol';
import { readCurrent } from '../runs/publication';
import { FakeRunner, untilStopped } from '../testing/fake-runner';
import { capturedLog, exportTables, givenConfig, givenLake, givenOutcome, readJson } from '../testing/given';
import type { IngestRequest } from './job';
import { RunsService } from './runs-service';
import { IngestService } from './service';

const ALL: IngestRequest = { tables: null, format: 'csv', dryRun: false };
const TTL_S = 4;

let lake: Lake;
let env: { LAKE_URL: string };
let remove: () => Promise<void>;
beforeEach(async () => ({ lake, env, remove } = await givenLake()));
afterEach(() => remove());

/** A gateway with a network of its own, which can be cut. */
function gateway(name: string, runner: FakeRunner, more: Record<string, string> = {}) {
  let cut: (key: unknown) => boolean = () => false;
  const through = new Proxy(lake, {
    get: (target, method) => {
      const value = Reflect.get(target, method);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (cut(args[0])) throw new LakeError('unavailable', 'cut off', '');
        return value.apply(target, args);
      };
    },
  });
  const { log, lines } = capturedLog();
  const told: string[] = [];
  const recovered = (database: string) => void told.push(database);
  const service = new IngestService({
    config: givenConfig({ ...env, LEASE_TTL: String(TTL_S), ...more }),
    gateway: name,
    lake: async () => through,
    runner,
    log,
    credentials: async () => ({}),
    secrets: async () => ({}),
    lakeFolder: async () => null,
    datasets: async () => [],
    recovered,
  });
  const runs = new RunsService({ lake: async () => through, ingestion: service });
  const isBusy = (database: string) => service.isBusy(database);
  const ttlMs = TTL_S * 1000;
  const patrol = new Patrol({ lake: async () => through, gateway: name, ttlMs, isBusy, recovered, log });
  const cutOff = (only?: string) => {
    cut = (key) => only === undefined || key === only;
  };
  return { service, runs, patrol, runner, lines, cutOff, through, told };
}
const exporting =
  (tables = { users: 'id\n1\n' }) =>
  async ({ job }: JobSpec) =>
    givenOutcome({ stdout: Buffer.from(JSON.stringify(await exportTables(lake, job, tables))) });
const failureOf = (promise: Promise<unknown>): Promise<ApiError> =>
  promise.then(
    () => Promise.reject(new Error('no failure')),
    (error: ApiError) => error,
  );
const recordOf = (runId: string) => readJson(lake, runKeys('mysql', runId).run);
const until = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
};

describe('a run that is held open', () => {
  it('is one, whoever else asks through whichever gateway', async () => {
    const a = gateway('a', new FakeRunner(untilStopped));
    const b = gateway('b', new FakeRunner(exporting()));
    const { runId, done } = await a.service.start('mysql', ALL);
    const ended = failureOf(done);
    const others = [a, b, a, b, b].map(({ service }) => failureOf(service.ingest('mysql', ALL)));
    for (const error of await Promise.all(others)) {
      expect(error).toMatchObject({
        code: 'RUN_IN_PROGRESS',
        runId,
        headers: { Location: `/api/ingesta/runs/${runId}` },
      });
    }
    expect(b.runner.launched).toEqual([]);
    await a.service.stop();
    expect((await ended).code).toBe('LEASE_LOST');
    // It was given back: nobody has to wait for it to run out.
    await b.service.ingest('mysql', ALL);
    expect(await readJson(lake, lockKey('mysql'))).toMatchObject({ epoch: 2, state: 'free', holder: 'b' });
  });

  it('is cancelled through the other gateway: its script ends, and nothing is published', async () => {
    const a = gateway('a', new FakeRunner(untilStopped));
    const b = gateway('b', new FakeRunner(exporting()));
    const { runId, done } = await a.service.start('mysql', ALL);
    const ended = failureOf(done);
    expect(await b.runs.cancel(runId)).toMatchObject({ state: 'running' });
    expect(await ended).toMatchObject({ code: 'RUN_CANCELLED', runId });
    expect(await recordOf(runId)).toMatchObject({ state: 'cancelled', error: { code: 'RUN_CANCELLED' } });
    expect((await readCurrent(lake, 'mysql'))?.manifest).toBeNull();
    const before = await recordOf(runId);
    await b.runs.cancel(runId);
    expect(await recordOf(runId)).toEqual(before);
  });

  it('is not published once it is cancelled, though its script ended well before anybody looked', async () => {
    let end: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    const export_ = exporting();
    // Renewals, which look for the mark as well, are far apart.
    const a = gateway('a', new FakeRunner(async (spec) => held.then(() => export_(spec))), { LEASE_TTL: '600' });
    const b = gateway('b', new FakeRunner(exporting()));
    const { runId, done } = await a.service.start('mysql', ALL);
    const ended = failureOf(done);
    await b.runs.cancel(runId);
    end();
    expect(await ended).toMatchObject({ code: 'RUN_CANCELLED', runId });
    expect((await readCurrent(lake, 'mysql'))?.manifest).toBeNull();
  });
});

describe('a gateway that is cut off from the lake', () => {
  it('ends its script by itself; another takes over, publishes, and says how the first run ended', async () => {
    const a = gateway('a', new FakeRunner(untilStopped));
    const b = gateway('b', new FakeRunner(exporting()));
    const { runId, done } = await a.service.start('mysql', ALL);
    const ended = failureOf(done);
    a.cutOff();
    const answer = await b.service.ingest('mysql', ALL);
    expect((await ended).code).toBe('LEASE_LOST');
    expect(await recordOf(runId)).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' } });
    expect((await readCurrent(lake, 'mysql'))?.manifest?.run_id).toBe(answer.run_id);
    expect(await readJson(lake, lockKey('mysql'))).toMatchObject({ epoch: 2, state: 'free' });
  });

  it('leaves a run whose end another gateway’s patrol tells, where nobody POSTs again', async () => {
    const a = gateway('a', new FakeRunner(untilStopped));
    const b = gateway('b', new FakeRunner());
    const { runId, done } = await a.service.start('mysql', ALL);
    const ended = failureOf(done);
    a.cutOff();
    b.patrol.start();
    await until(async () => (await recordOf(runId)).state === 'failed');
    await ended;
    await b.patrol.stop();
    expect(await readJson(lake, lockKey('mysql'))).toMatchObject({ epoch: 2, state: 'free', run_id: runId });
  });

  it('leaves a run whose end is told although its successor died before it could', async () => {
    const a = gateway('a', new FakeRunner(untilStopped));
    const b = gateway('b', new FakeRunner());
    const c = gateway('c', new FakeRunner());
    const { runId, done } = await a.service.start('mysql', ALL);
    const ended = failureOf(done);
    a.cutOff();
    const { putIfMatch } = lake;
    lake.putIfMatch = async (key, body, etag) => {
      const answer = await putIfMatch.call(lake, key, body, etag);
      if (key === lockKey('mysql') && JSON.parse(body.toString()).holder === 'b') b.cutOff();
      return answer;
    };
    await failureOf(b.service.ingest('mysql', ALL));
    await ended;
    expect(await recordOf(runId)).toMatchObject({ state: 'running' });
    expect(await readJson(lake, lockKey('mysql'))).toMatchObject({ state: 'held', holder: 'b', orphans: [runId] });
    c.patrol.start();
    await until(async () => (await readJson(lake, lockKey('mysql'))).state === 'free');
    await c.patrol.stop();
    expect(await recordOf(runId)).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' } });
    expect(await readJson(lake, lockKey('mysql'))).toMatchObject({ orphans: [] });
  });
});

describe('patrol', () => {
  it('leaves a run that goes on alone', async () => {
    const a = gateway('a', new FakeRunner(untilStopped));
    const b = gateway('b', new FakeRunner());
    const { runId, done } = await a.service.start('mysql', ALL);
    const ended = failureOf(done);
    for (const end = Date.now() + 2.5 * TTL_S * 1000; Date.now() < end; ) {
      await b.patrol.round();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await recordOf(runId)).toMatchObject({ state: 'running' });
    expect(await readJson(lake, lockKey('mysql'))).toMatchObject({ epoch: 1, state: 'held', holder: 'a' });
    await a.service.stop();
    await ended;
  });

  it.each(['patrol', 'run that fails'])(
    'calls a run succeeded that was published unheard, at the next %s',
    async (by) => {
      const b = gateway('b', new FakeRunner(async () => givenOutcome({ exitCode: 1 })));
      const a = gateway('a', new FakeRunner(exporting()));
      const { putIfMatch } = lake;
      // The pointer is written, its answer lost, and it cannot be read again; the run's record could be written.
      lake.putIfMatch = async (key, body, etag) => {
        const answer = await putIfMatch.call(lake, key, body, etag);
        if (key !== pointerKey('mysql') || !body.toString().includes('manifest.json')) return answer;
        a.cutOff(pointerKey('mysql'));
        throw new LakeError('unavailable', 'the answer was lost', '');
      };
      const { runId, done } = await a.service.start('mysql', ALL);
      expect((await failureOf(done)).message).toContain('may have been');
      expect(await recordOf(runId)).toMatchObject({ state: 'running' });
      if (by === 'patrol') {
        b.patrol.start();
        await until(async () => (await recordOf(runId)).state !== 'running');
        await b.patrol.stop();
      } else await failureOf(b.service.ingest('mysql', ALL));
      expect(await recordOf(runId)).toMatchObject({ state: 'succeeded', error: null });
      expect(b.told).toEqual(['mysql']);
      expect((await readCurrent(lake, 'mysql'))?.manifest?.run_id).toBe(runId);
    },
  );
});

describe('attempts', () => {
  const failing = (exitCode: number, reads = false) => {
    let launches = 0;
    return new FakeRunner(async (spec, _signal, onEvent) => {
      launches += 1;
      const at = new Date().toISOString();
      if (reads) onEvent({ event: 'table_started', at, table: 'users', estimated_rows: null });
      return launches === 1 ? givenOutcome({ exitCode }) : exporting()(spec);
    });
  };

  it.each([
    ['75', failing(75, true)],
    ['69 before anything was read', failing(69)],
  ])('another follows exit %s, with its own timestamp and nonce', async (_, runner) => {
    const { service } = gateway('a', runner);
    const answer = await service.ingest('mysql', ALL);
    const [first, second] = runner.launched.map(({ job }) => job);
    expect(second).toMatchObject({ attempt: 2, run_id: first!.run_id, deadline: first!.deadline });
    expect(second!.timestamp > first!.timestamp).toBe(true);
    expect(second!.nonce).not.toBe(first!.nonce);
    expect(await recordOf(answer.run_id)).toMatchObject({
      state: 'succeeded',
      attempts: 2,
      timestamp: second!.timestamp,
    });
    expect(await readJson(lake, lockKey('mysql'))).toHaveProperty('last_timestamp');
  });

  it.each([
    ['69 in the middle of a table', failing(69, true), {}, 'SOURCE_UNAVAILABLE'],
    ['77', failing(77), {}, 'SOURCE_AUTH'],
    ['75, where one is all there may be', failing(75), { RUN_ATTEMPTS: '1' }, 'SOURCE_UNAVAILABLE'],
  ])('none follows exit %s', async (_, runner, more, code) => {
    const { service } = gateway('a', runner, more);
    expect((await failureOf(service.ingest('mysql', ALL))).code).toBe(code);
    expect(runner.launched).toHaveLength(1);
  });
});

it('takes so many runs, lets so many wait, and sends the next one away', async () => {
  const { service } = gateway('a', new FakeRunner(untilStopped), { MAX_CONCURRENT_RUNS: '1', MAX_QUEUED_RUNS: '1' });
  const { done } = await service.start('mysql', ALL);
  const waiting = failureOf(service.plan('mysql', { ...ALL, dryRun: true }));
  const refused = await failureOf(service.plan('mysql', { ...ALL, dryRun: true }));
  expect(refused).toMatchObject({ code: 'TOO_MANY_RUNS', headers: { 'Retry-After': expect.stringMatching(/^\d+$/) } });
  const ended = failureOf(done);
  await service.stop();
  expect([(await ended).code, (await waiting).code]).toEqual(['LEASE_LOST', 'LEASE_LOST']);
});

it('writes down what the script says and how far it is, while it runs', async () => {
  const at = new Date().toISOString();
  const runner = new FakeRunner(async (spec, signal, onEvent) => {
    onEvent({ event: 'table_started', at, table: 'users', estimated_rows: 10 });
    onEvent({ event: 'progress', at, table: 'users', rows: 5, bytes: 50 });
    onEvent({ event: 'log', at, level: 'info', message: 'canary-in-the-password' });
    return untilStopped(spec, signal, onEvent);
  });
  const { service, runs } = gateway('a', runner, { MYSQL_PASSWORD: 'canary-in-the-password' });
  const { runId, done } = await service.start('mysql', ALL);
  const ended = failureOf(done);
  await until(async () => Object.keys((await runs.find(runId)).progress).length > 0);
  expect((await runs.find(runId)).progress).toEqual({
    users: { state: 'running', rows: 5, bytes: 50, estimated_rows: 10 },
  });
  await service.stop();
  await ended;
  const [line] = (await runs.logs(runId)).toString().split('\n');
  expect(JSON.parse(line!)).toEqual({ at, level: 'info', message: '***' });
});
