import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { givenLake } from '../../../testing/given';
import type { QueryTable } from '../engine';
import { type GivenEngine, givenEngine } from '../testing/given-engine';
import { declared, exportGiven, type GivenTable, given } from '../testing/given-table';

const never = () => new AbortController().signal;
const NUMBERS: GivenTable = {
  table: 'numbers',
  columns: [given('n', 'integer')],
  rows: Array.from({ length: 1000 }, (_, n) => [String(n)]),
};
const COUNT = { sql: 'SELECT count(*) AS n FROM mysql_numbers', parameters: [] };
const cross = (times: number) => Array.from({ length: times }, (_, i) => `mysql_numbers t${i}`).join(', ');
const ENDLESS = { sql: `SELECT sum(t0.n * t1.n + t2.n * t3.n + t4.n) AS n FROM ${cross(5)}`, parameters: [] };

let lake: Awaited<ReturnType<typeof givenLake>>;
let numbers: QueryTable;
const started: GivenEngine[] = [];

beforeAll(async () => {
  lake = await givenLake();
  numbers = declared(NUMBERS, await exportGiven(lake.lake, NUMBERS), [{ name: 'n', type: 'bigint' }]);
});
afterEach(async () => {
  for (const own of started.splice(0)) await own.close();
});
afterAll(() => lake.remove());

async function start(...[settings, options]: [Parameters<typeof givenEngine>[1]?, Parameters<typeof givenEngine>[2]?]) {
  const own = await givenEngine(lake.env, settings, options);
  started.push(own);
  return own;
}

const count = async ({ engine }: GivenEngine) => {
  const [result] = await engine.query([numbers], [COUNT], never());
  return result!.rows[0]![0];
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

/** Runs while the child works on it for sure: its reply to a later message came. */
async function startEndless(own: GivenEngine, signal = never()) {
  const endless = own.engine.query([numbers], [ENDLESS], signal);
  endless.catch(() => undefined);
  await count(own);
  return { endless };
}

it('starts at the first query, and one process serves many', async () => {
  const own = await start();
  expect(own.child.pid).toBeNull();
  await Promise.all([count(own), count(own)]);
  const { pid } = own.child;
  expect(pid).toEqual(expect.any(Number));
  await count(own);
  expect(own.child.pid).toBe(pid);
});

it('leaves when it has nothing to do, and not before', async () => {
  const own = await start({}, { idleMs: 50 });
  const stop = new AbortController();
  const { endless } = await startEndless(own, stop.signal);
  const pid = own.child.pid!;
  await sleep(200);
  expect(isAlive(pid)).toBe(true);
  stop.abort(new Error('enough'));
  await expect(endless).rejects.toThrow('enough');
  await until(() => !isAlive(pid));
  expect(own.child.pid).toBeNull();
  expect(await count(own)).toBe(1000);
  expect(own.child.pid).not.toBe(pid);
});

it('leaves soon after a mere check of SQL', async () => {
  const own = await start();
  await own.engine.describe([], [{ sql: 'SELECT 1 AS n', parameters: [] }]);
  const pid = own.child.pid!;
  await until(() => !isAlive(pid));
  expect(own.child.pid).toBeNull();
});

it('tells of a crash whom it met, and starts again with the next query', async () => {
  const own = await start();
  const { endless } = await startEndless(own);
  process.kill(own.child.pid!, 'SIGKILL');
  await expect(endless).rejects.toMatchObject({
    code: 'INTERNAL',
    message: 'The query engine ended unexpectedly (SIGKILL)',
    hint: expect.stringContaining('DUCKDB_MEMORY_MB'),
  });
  expect(await count(own)).toBe(1000);
});

it('survives a crash that met nobody', async () => {
  const own = await start();
  await count(own);
  const pid = own.child.pid!;
  process.kill(pid, 'SIGKILL');
  await until(() => own.child.pid === null);
  expect(await count(own)).toBe(1000);
});

it('stops an endless query and keeps the process', async () => {
  const own = await start({}, { graceMs: 60_000 });
  const stop = new AbortController();
  const { endless } = await startEndless(own, stop.signal);
  const { pid } = own.child;
  stop.abort(new Error('enough'));
  await expect(endless).rejects.toThrow('enough');
  expect(await count(own)).toBe(1000);
  expect(own.child.pid).toBe(pid);
});

it('kills a process that does not stop, and asks again what else it was doing', async () => {
  const own = await start({}, { graceMs: 0 });
  const stop = new AbortController();
  const { endless } = await startEndless(own, stop.signal);
  const { pid } = own.child;
  // A stopped process heeds no interrupt.
  process.kill(pid!, 'SIGSTOP');
  const other = count(own);
  stop.abort(new Error('enough'));
  await expect(endless).rejects.toThrow('enough');
  expect(await other).toBe(1000);
  expect(own.child.pid).not.toBe(pid);
});

it('asks again what fails of the end of a process that had to be killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingesta-child-test-'));
  const program = join(folder, 'worker.js');
  const asked = join(folder, 'asked');
  // The first one fails all when it is ended, as uploads do; the next one answers.
  writeFileSync(
    program,
    `const { existsSync, writeFileSync } = require('node:fs');
    const isFirst = !existsSync(${JSON.stringify(asked)});
    const ids = [];
    const failure = { kind: 'api', code: 'INTERNAL', message: 'the query engine is ended', hint: '', cause: null };
    process.on('SIGTERM', () => {
      for (const id of ids) process.send({ type: 'failure', id, failure });
      setTimeout(() => process.exit(0), 50);
    });
    process.on('message', ({ type, id }) => {
      if (type !== 'request') return;
      if (!isFirst) process.send({ type: 'answer', id, value: 'again' });
      else if (ids.push(id) === 2) writeFileSync(${JSON.stringify(asked)}, '');
    });`,
  );
  try {
    const { child } = await start({}, { graceMs: 0, program });
    const stop = new AbortController();
    const ask = (signal: AbortSignal) => child.request({ do: 'query', tables: [], statements: [] }, signal);
    const [endless, other] = [ask(stop.signal), ask(never())];
    await until(() => existsSync(asked));
    stop.abort(new Error('enough'));
    await expect(endless).rejects.toThrow('enough');
    expect(await other).toBe('again');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('leaves no work folder behind', async () => {
  const own = await start();
  await startEndless(own);
  const work = join(own.cacheFolder, 'work');
  expect(readdirSync(work)).toHaveLength(1);
  process.kill(own.child.pid!, 'SIGKILL');
  await until(() => readdirSync(work).length === 0);
});

it('shows no secret of the lake in the process list', async () => {
  const own = await start({
    lakeEnv: { ...lake.env, AWS_SECRET_ACCESS_KEY: 'canary', AWS_ACCESS_KEY_ID: 'canary-id' },
  });
  await count(own);
  for (const file of ['environ', 'cmdline']) {
    const path = `/proc/${own.child.pid}/${file}`;
    if (existsSync('/proc')) expect(readFileSync(path, 'latin1')).not.toContain('canary');
  }
});

it('says why it cannot start', async () => {
  const own = await start({}, { program: '/nowhere/duckdb-worker.js' });
  const failure = await count(own).catch((error) => error);
  expect(failure).toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('exit code 1') });
  expect(failure.cause.message).toContain('/nowhere/duckdb-worker.js');
});

it('says that the cache folder cannot be used', async () => {
  const own = await start({ cacheFolder: '/dev/null/cache' });
  await expect(count(own)).rejects.toMatchObject({
    message: expect.stringContaining('/dev/null/cache'),
    hint: expect.stringContaining('ANALYTICS_CACHE_DIR'),
  });
});

it('says that the lake cannot be reached', async () => {
  const own = await start({ lakeEnv: { LAKE_URL: 'file:///nowhere/at/all' } });
  await expect(count(own)).rejects.toMatchObject({ code: expect.stringMatching(/^(LAKE_|DATA_NOT)/) });
});

it('ends at once when it is closed, twice too', async () => {
  const own = await start();
  const { endless } = await startEndless(own);
  const pid = own.child.pid!;
  await own.engine.close();
  expect(isAlive(pid)).toBe(false);
  await expect(endless).rejects.toMatchObject({ code: 'INTERNAL' });
  await own.engine.close();
  await expect(count(own)).rejects.toMatchObject({ message: 'The query engine was shut down' });
});
