import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { type Bucket, createBucket } from '../../../../test/e2e/harness/s3';
import { refuse } from '../../../../test/faults/harness/s3-faults';
import { type S3Call, type S3Proxy, startS3Proxy } from '../../../../test/faults/harness/s3-proxy';
import { describeWith, s3Env } from '../../../../test/services/need';
import { type ScriptEvent, scriptEventSchema } from '../contract/events';
import type { Job } from '../contract/job';
import { type ScriptFailure, type ScriptResult, scriptOutputSchema, type TableResult } from '../contract/result';
import { runKeys } from '../lake/keys';
import { openLake } from '../lake/open-lake';

const SECRET = 's3cr3t "quoted"/ñ';
const CSV = `id,value\n${Array.from({ length: 10 }, (_, id) => `${id},"value ${id}, ""quoted"""\n`).join('')}`;

let folder: string;
let script: string;
let lakes = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'run-script-'));
  // As in an image: the folder around `dist` names the source.
  script = join(folder, 'fake', 'dist', 'main.js');
  const entryPoints = [join(__dirname, 'fixtures', 'source.ts')];
  await build({ entryPoints, outfile: script, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' });
});
afterAll(() => rmSync(folder, { recursive: true }));

type Env = Record<string, string | undefined>;

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Started {
  child: ChildProcessWithoutNullStreams;
  ended: Promise<Ended>;
}

function start(env: Env, options: { args?: string[]; stdin?: string } = {}): Started {
  const child = spawn(process.execPath, [script, ...(options.args ?? [])], {
    env: { PATH: process.env.PATH, FAKE_HOST: 'db', FAKE_PASSWORD: SECRET, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.stdin);
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

/** An empty lake of its own; its URL. */
function newLake(): string {
  const path = join(folder, `lake-${lakes++}`);
  mkdirSync(path);
  return pathToFileURL(path).href;
}

/** Its objects, but for what an attempt records of its plans. */
const keysOf = async (url: string): Promise<string[]> =>
  (await allKeysOf(url)).filter((key) => !/\/objects-\d+\.json$/.test(key));

async function allKeysOf(url: string): Promise<string[]> {
  const lake = await openLake({ LAKE_URL: url });
  const keys: string[] = [];
  for await (const { key } of lake.list('')) keys.push(key);
  await lake.close();
  return keys;
}

/** Files of the lake that are not objects yet. */
const temporaries = (url: string) => {
  const files = readdirSync(fileURLToPath(url), { recursive: true, withFileTypes: true });
  return files.filter((file) => file.isFile() && file.parentPath.endsWith('tmp')).map(({ name }) => name);
};

/** Checks what every run owes, however it ended; its one document. */
function documentOf({ stdout, stderr }: Ended) {
  // One line. Not by a pattern: up to 16 MiB of text once overflowed the stack of the engine of patterns.
  expect(stdout.length).toBeGreaterThan(1);
  expect(stdout.indexOf('\n')).toBe(stdout.length - 1);
  for (const form of ['s3cr3t', JSON.stringify(SECRET).slice(1, -1), encodeURIComponent(SECRET)]) {
    expect(stdout + stderr).not.toContain(form);
  }
  eventsOf(stderr);
  return scriptOutputSchema.parse(JSON.parse(stdout));
}

const eventsOf = (stderr: string): ScriptEvent[] =>
  stderr
    .split('\n')
    .slice(0, -1)
    .map((line) => scriptEventSchema.parse(JSON.parse(line)));

const failureOf = (ended: Ended) => documentOf(ended) as ScriptFailure;

/** Resolves at the first event of this kind. */
const event = ({ child }: Started, kind: string) =>
  new Promise<void>((resolve) => {
    child.stderr.on('data', (data) => {
      if (String(data).includes(`"event":"${kind}"`)) resolve();
    });
  });

const jobFor = (lake: string, change: Partial<Job> = {}, env: Record<string, string> = {}): Job => ({
  database: 'ventas',
  run_id: randomUUID(),
  attempt: 3,
  nonce: randomUUID(),
  timestamp: '20250102_153045',
  deadline: null,
  tables: null,
  format: 'csv',
  datasets: [],
  dry_run: false,
  ...change,
  env: { FAKE_HOST: 'db', FAKE_PASSWORD: SECRET, LAKE_URL: lake, ...env },
});
const startJob = (job: Job) =>
  start({ INGESTA_JOB: 'stdin', FAKE_HOST: undefined, FAKE_PASSWORD: undefined }, { stdin: JSON.stringify(job) });

describe('a run that succeeds', () => {
  it('exports all tables, configured by the environment alone', async () => {
    const lake = newLake();
    const ended = await start({ LAKE_URL: lake, FAKE_WARN: '1', PARALLEL_TABLES: '1' }).ended;
    expect(ended.code).toBe(0);
    const output = documentOf(ended) as ScriptResult;
    expect(output).toMatchObject({
      status: 'success',
      database: 'fake',
      attempt: 1,
      consistency: 'snapshot',
      taken_at: '2025-01-02T15:30:45.000Z',
      warnings: ['beware of ***'],
    });
    expect(Object.keys(output.result)).toEqual(['users', 'items']);
    for (const [name, table] of Object.entries(output.result)) {
      expect(table.key).toMatch(new RegExp(`^fake/${name}_\\d{8}_\\d{6}\\.csv$`));
      expect(table.url).toBe(`${lake}/${table.key}`);
      expect(readFileSync(fileURLToPath(table.url), 'utf8')).toBe(CSV);
      expect(table).toMatchObject({
        registros: 10,
        bytes: CSV.length,
        sha256: createHash('sha256').update(CSV).digest('hex'),
        columns: [{ name: 'id' }, { name: 'value' }],
        dropped_columns: [{ name: 'password', reason: 'built-in rule: password' }],
      });
    }
    const copy = runKeys('fake', output.run_id).result(1);
    expect(JSON.parse(readFileSync(join(fileURLToPath(lake), copy), 'utf8'))).toEqual(JSON.parse(ended.stdout));
    const keys = [copy, ...Object.values(output.result).map(({ key }) => key)];
    expect(await keysOf(lake)).toEqual(keys.sort());
    const events = eventsOf(ended.stderr);
    expect(events.flatMap((event) => (event.event === 'log' ? [event.message] : []))).toEqual([
      'connected with ***',
      'beware of ***',
      // Node's own, in our form.
      'DeprecationWarning: old function, called with ***',
    ]);
    expect(events.flatMap((event) => (event.event === 'log' ? [] : [`${event.event} ${event.table}`]))).toEqual([
      'table_started users',
      'table_finished users',
      'table_started items',
      'table_finished items',
    ]);
  });

  it('does the job that stands on stdin, compressed', async () => {
    const lake = newLake();
    const job = jobFor(lake, { tables: ['items'], format: 'csv.gz' });
    const ended = await startJob(job).ended;
    expect(ended.code).toBe(0);
    const output = documentOf(ended) as ScriptResult;
    const { run_id, attempt, nonce } = job;
    expect(output).toMatchObject({ database: 'ventas', run_id, attempt, nonce });
    expect(Object.keys(output.result)).toEqual(['items']);
    const items = output.result.items!;
    expect(items.key).toBe('ventas/items_20250102_153045.csv.gz');
    const stored = readFileSync(fileURLToPath(items.url));
    expect(gunzipSync(stored).toString()).toBe(CSV);
    expect(items.bytes).toBe(stored.length);
    expect(items.sha256).toBe(createHash('sha256').update(stored).digest('hex'));
    const finished = eventsOf(ended.stderr).find((event) => event.event === 'table_finished');
    expect(finished).toMatchObject({ table: 'items', rows: 10, bytes: CSV.length });
    const opened = await openLake({ LAKE_URL: lake });
    expect((await opened.head(items.key))?.metadata).toEqual({ 'ingesta-attempt': nonce });
    expect(JSON.parse((await opened.get(runKeys('ventas', run_id).result(3)))!.body.toString())).toEqual(
      JSON.parse(ended.stdout),
    );
  });

  it('does the job that lies in the lake with the secrets of its own environment, and leaves what it prints there', async () => {
    const lake = newLake();
    const { FAKE_PASSWORD: _, ...env } = jobFor(lake).env;
    const launched = async (change: Partial<Job>, own: Env = {}) => {
      const job = { ...jobFor(lake, change), env };
      const keys = runKeys('ventas', job.run_id);
      const opened = await openLake({ LAKE_URL: lake });
      await opened.putIfAbsent(keys.job(3), Buffer.from(JSON.stringify(job)));
      const ended = await start({ INGESTA_JOB: `lake:${keys.job(3)}`, LAKE_URL: lake, FAKE_HOST: undefined, ...own })
        .ended;
      const left = (await opened.get(keys.result(3)))?.body.toString();
      expect(left).toBe(ended.stdout.trimEnd());
      return { code: ended.code, output: documentOf(ended), job };
    };
    const done = await launched({});
    expect(done).toMatchObject({ code: 0, output: { status: 'success', nonce: done.job.nonce } });
    expect(await launched({ dry_run: true })).toMatchObject({ code: 0, output: { status: 'planned' } });
    expect(await launched({ tables: ['absent'] })).toMatchObject({ code: 66, output: { status: 'error' } });
    expect(await launched({}, { FAKE_CONNECT: 'config' })).toMatchObject({ code: 64, output: { status: 'error' } });
  });

  it('keeps tables whose names mean something to JavaScript', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const ended = await start({ LAKE_URL: newLake(), FAKE_NAMES: names.join(',') }).ended;
    expect(ended.code).toBe(0);
    expect(Object.keys(JSON.parse(ended.stdout).result)).toEqual(names);
    const { result } = documentOf(ended) as ScriptResult;
    expect(Object.entries(result).map(([name, { registros }]: [string, TableResult]) => [name, registros])).toEqual(
      names.map((name) => [name, 10]),
    );
    const planned = await start({ FAKE_NAMES: names.join(',') }, { args: ['--dry-run'] }).ended;
    expect(Object.keys(JSON.parse(planned.stdout).plan)).toEqual(names);
  });

  it('reads several tables at once, and answers in order', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const env = { FAKE_NAMES: names.join(','), FAKE_SLOW: '1', PARALLEL_TABLES: '3' };
    const ended = await startJob(jobFor(newLake(), {}, env)).ended;
    expect(Object.keys((documentOf(ended) as ScriptResult).result)).toEqual(names);
    let open = 0;
    const counts = eventsOf(ended.stderr).flatMap(({ event }) => {
      if (event === 'table_started') open += 1;
      if (event === 'table_finished') open -= 1;
      return open;
    });
    expect(Math.max(...counts)).toBe(3);
  });

  it('takes datasets beside the tables, without the columns that are sensitive where they come from', async () => {
    const datasets = [{ name: 'altas', text: 'SELECT id, value, password AS x FROM users' }];
    const env = { FAKE_TABLES: 'users' };
    const { result } = documentOf(await startJob(jobFor(newLake(), { datasets }, env)).ended) as ScriptResult;
    expect(Object.keys(result)).toEqual(['users', 'altas']);
    expect(result.altas).toMatchObject({
      registros: 10,
      columns: [{ name: 'id' }, { name: 'value' }],
      dropped_columns: [{ name: 'x', reason: 'built-in rule: password' }],
    });
  });

  it('finds datasets in a folder where no gateway hands them over', async () => {
    const home = join(folder, 'datasets');
    mkdirSync(join(home, 'fake'), { recursive: true });
    writeFileSync(join(home, 'fake', 'altas.sql'), 'SELECT 1');
    const { result } = documentOf(await start({ LAKE_URL: newLake(), DATASETS_DIR: home }).ended) as ScriptResult;
    expect(Object.keys(result)).toEqual(['users', 'items', 'altas']);
  });

  it('exports a table without rows', async () => {
    const ended = await start({ LAKE_URL: newLake(), FAKE_ROWS: '0' }).ended;
    const { users } = (documentOf(ended) as ScriptResult).result;
    expect(users).toMatchObject({ registros: 0, bytes: 9 });
    expect(readFileSync(fileURLToPath(users!.url), 'utf8')).toBe('id,value\n');
  });

  it('is not spoilt by a connection that does not end well', async () => {
    const ended = await start({ LAKE_URL: newLake(), FAKE_CLOSE: '1' }).ended;
    expect([ended.code, documentOf(ended).status]).toEqual([0, 'success']);
  });

  it('tells before anything is read that its result would be too large, a dry run as well', async () => {
    const lake = newLake();
    const names = Array.from({ length: 200 }, (_, i) => `tabla_${i}`).join(',');
    // 77 bytes of JSON each.
    const env = { LAKE_URL: lake, FAKE_NAMES: names, FAKE_MORE_COLUMNS: '1200' };
    for (const args of [[], ['--dry-run']]) {
      const ended = await start(env, { args }).ended;
      expect(ended.code).toBe(64);
      expect(failureOf(ended).error).toMatchObject({
        code: 'SOURCE_CONFIG',
        message: expect.stringMatching(
          /^The result would be over 16 MiB: 200 tables with 240400 columns take at least 1[78]\.\d MiB$/,
        ),
        hint: expect.stringContaining('FAKE_TABLES'),
      });
      expect(ended.stderr).not.toContain('table_started');
    }
    expect(await allKeysOf(lake)).toEqual([]);
    const fits = await start({ ...env, FAKE_MORE_COLUMNS: '1000' }, { args: ['--dry-run'] }).ended;
    expect([fits.code, documentOf(fits).status]).toEqual([0, 'planned']);
  });

  it('plans only, where that is asked for', async () => {
    const lake = newLake();
    const dry = await start({ LAKE_URL: lake }, { args: ['--dry-run'] }).ended;
    const asked = await startJob(jobFor(lake, { dry_run: true })).ended;
    for (const ended of [dry, asked]) {
      expect(ended.code).toBe(0);
      expect(documentOf(ended)).toMatchObject({
        status: 'planned',
        plan: { users: { dropped_columns: [{ name: 'password' }], estimated_rows: 10 }, items: {} },
      });
    }
    expect(readdirSync(fileURLToPath(lake))).toEqual([]);
  });

  it('describes itself, whatever is missing', async () => {
    const ended = await start({ FAKE_HOST: undefined, INGESTA_JOB: 'stdin' }, { args: ['--describe'] }).ended;
    expect(ended.code).toBe(0);
    expect(ended.stderr).toBe('');
    expect(JSON.parse(ended.stdout)).toMatchObject({ title: 'Fake', env_prefix: 'FAKE_' });
  });
});

describe('a run that fails', () => {
  const cases: [string, Env, number, string, string | RegExp][] = [
    ['settings', { FAKE_HOST: '' }, 64, 'SOURCE_CONFIG', 'FAKE_HOST or FAKE_SERVER is not set (Host.)'],
    ['settings the source refuses', { FAKE_CONNECT: 'config' }, 64, 'SOURCE_CONFIG', 'FAKE_X is malformed'],
    [
      'the key template',
      { KEY_TEMPLATE: '{table}.csv' },
      64,
      'SOURCE_CONFIG',
      /KEY_TEMPLATE .* must contain \{timestamp\}/,
    ],
    ['the lake settings', { LAKE_URL: 'ftp://x' }, 64, 'SOURCE_CONFIG', /LAKE_URL must be/],
    ['the job', { INGESTA_JOB: 'stdin' }, 64, 'SOURCE_CONFIG', 'stdin holds no JSON job'],
    ['a table', { FAKE_TABLES: 'users,clients' }, 66, 'TABLE_NOT_FOUND', 'Table not found: clients'],
    ['a table the source misses', { FAKE_CONNECT: 'missing' }, 66, 'TABLE_NOT_FOUND', 'Table not found: x'],
    ['the server', { FAKE_CONNECT: 'unavailable' }, 69, 'SOURCE_UNAVAILABLE', 'No server there'],
    ['a query', { FAKE_CONNECT: 'failed' }, 70, 'SCRIPT_FAILED', 'The server rejected a query'],
    ['a defect', { FAKE_CONNECT: 'unknown' }, 70, 'SCRIPT_FAILED', 'x is not a function'],
    ['an error that causes itself', { FAKE_CONNECT: 'circle' }, 70, 'SCRIPT_FAILED', 'circle'],
    ['a promise nobody awaits', { FAKE_CONNECT: 'orphan' }, 70, 'SCRIPT_FAILED', 'orphan with ***'],
    ['a socket nobody listens to', { FAKE_CONNECT: 'socket' }, 70, 'SCRIPT_FAILED', /ECONNREFUSED/],
    ['the lake', { LAKE_URL: 'file:///nowhere/at/all' }, 73, 'LAKE_DENIED', /there is no folder/],
    ['too much load', { FAKE_CONNECT: 'temporary' }, 75, 'SOURCE_UNAVAILABLE', 'Too many connections'],
    ['the user', { FAKE_CONNECT: 'refused' }, 77, 'SOURCE_AUTH', 'Access denied'],
    ['the clock', { FAKE_SLOW: '1', FAKE_ROWS: '9999', RUN_TIMEOUT: '1' }, 143, 'RUN_TIMEOUT', /deadline .* passed/],
  ];
  it.each(cases)('for %s: %j', async (_, env, code, errorCode, message) => {
    const lake = newLake();
    const ended = await start({ LAKE_URL: lake, ...env }).ended;
    const { status, error, database } = failureOf(ended);
    expect(error).toMatchObject({
      code: errorCode,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
    expect(error.hint).not.toBe('');
    expect([status, ended.code]).toEqual(['error', code]);
    const known = env.INGESTA_JOB === undefined;
    expect([database, typeof error.run_id]).toEqual(known ? ['fake', 'string'] : [null, 'object']);
    expect(await keysOf(lake)).toEqual([]);
    expect(eventsOf(ended.stderr).at(-1)).toMatchObject({ event: 'log', level: 'error' });
  });

  it('keeps secrets to itself', async () => {
    const FAKE_URI = `fake://u:${encodeURIComponent(SECRET)}@db/x`;
    const ended = await start({ LAKE_URL: newLake(), FAKE_CONNECT: 'leak', FAKE_URI }).ended;
    expect(failureOf(ended).error.message).toContain('no access with *** to {');
    expect(eventsOf(ended.stderr).at(-1)).toMatchObject({ message: expect.stringContaining('caused by ***') });
  });

  it.each(['error', 'status', 'fake', 'true', '1111', '"code":'])(
    'in its right form with %j as password',
    async (word) => {
      const job = { ...jobFor(newLake(), { run_id: '1111' }), env: { FAKE_PASSWORD: word } };
      const ended = await startJob(job).ended;
      expect([ended.code, scriptOutputSchema.parse(JSON.parse(ended.stdout))]).toMatchObject([
        64,
        { database: 'ventas', error: { code: 'SOURCE_CONFIG', run_id: '1111' } },
      ]);
      eventsOf(ended.stderr);
    },
  );

  it('publishes no more when one table fails', async () => {
    const lake = newLake();
    const env = { FAKE_NAMES: 'a,b,c', FAKE_FAIL_AT: 'b:500', FAKE_ROWS: '1000', PARALLEL_TABLES: '1' };
    const job = jobFor(lake, {}, env);
    const ended = await startJob(job).ended;
    expect([ended.code, failureOf(ended).error.code]).toEqual([69, 'SOURCE_UNAVAILABLE']);
    expect(await keysOf(lake)).toEqual(['ventas/a_20250102_153045.csv']);
    // Who sweeps up behind it must know also of what it did not come to.
    const records = readFileSync(join(fileURLToPath(lake), runKeys('ventas', job.run_id).objects(job.attempt)), 'utf8');
    const planned = ['a', 'b', 'c'].map((name) => `ventas/${name}_20250102_153045.csv`);
    expect(JSON.parse(records)).toEqual({ nonce: job.nonce, keys: planned });
    expect(temporaries(lake)).toEqual([]);
    const started = eventsOf(ended.stderr).filter((event) => event.event === 'table_started');
    expect(started).toHaveLength(2);
  });

  it('ends the other tables when one fails beside them', async () => {
    const lake = newLake();
    const env = { FAKE_NAMES: 'a,b,c', FAKE_FAIL_AT: 'b:50', FAKE_ROWS: '1000', FAKE_SLOW: '1', PARALLEL_TABLES: '3' };
    const ended = await startJob(jobFor(lake, {}, env)).ended;
    expect([ended.code, failureOf(ended).error.message]).toEqual([69, 'The connection was lost']);
    expect([await keysOf(lake), temporaries(lake)]).toEqual([[], []]);
  });

  it('exports nothing with a dataset that the source refuses', async () => {
    const lake = newLake();
    const datasets = [{ name: 'baja', text: 'DELETE FROM users' }];
    const ended = await startJob(jobFor(lake, { datasets })).ended;
    expect([ended.code, failureOf(ended).error.message]).toEqual([64, 'Dataset baja does not only read']);
    expect(await keysOf(lake)).toEqual([]);
  });

  it('the same way with compression', async () => {
    const lake = newLake();
    const job = jobFor(lake, { format: 'csv.gz' }, { FAKE_FAIL_AT: 'users:500', FAKE_ROWS: '1000' });
    const ended = await startJob(job).ended;
    expect([ended.code, failureOf(ended).error.message]).toEqual([69, 'The connection was lost']);
    expect([await keysOf(lake), temporaries(lake)]).toEqual([[], []]);
  });

  it('rather than replace an object or a result that exists', async () => {
    const lake = newLake();
    const job = jobFor(lake);
    expect((await startJob(job).ended).code).toBe(0);
    const again = await startJob(job).ended;
    expect([again.code, failureOf(again).error]).toEqual([
      73,
      expect.objectContaining({
        code: 'SCRIPT_FAILED',
        message: expect.stringMatching(/^There is an object ventas\/.*_20250102_153045\.csv already$/),
        hint: expect.stringContaining('Nothing was overwritten: run it again.'),
      }),
    ]);
    const later = await startJob({ ...job, timestamp: '20250102_153046' }).ended;
    expect([later.code, failureOf(later).error.message]).toEqual([73, expect.stringContaining('objects-3.json')]);
  });

  it('explains what localhost means in a container', async () => {
    const env = { LAKE_URL: newLake(), FAKE_CONNECT: 'unavailable', FAKE_HOST: undefined, FAKE_SERVER: 'localhost' };
    expect(failureOf(await start(env).ended).error.hint).toBe('Start it.');
    const { error } = failureOf(await start({ ...env, INGESTA_IMAGE: '1' }).ended);
    expect(error.hint).toMatch(
      /^FAKE_HOST names localhost, which is this container itself\. Use host\.docker\.internal/,
    );
  });
});

describeWith(['s3'], 'a run whose lake is a bucket', () => {
  let s3: S3Proxy;
  let bucket: Bucket;
  let env: Record<string, string>;
  beforeEach(async () => {
    bucket = await createBucket();
    s3 = await startS3Proxy(new URL(s3Env().endpoint));
    env = { ...bucket.settings(false), AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${s3.port}` };
  });
  afterEach(() => s3.close());

  const isPut = ({ method }: S3Call) => method === 'PUT';
  const isAnswer = ({ method, key }: S3Call) => method === 'PUT' && key.includes('/result-');
  /** The first PUT of each key. */
  const firstPuts = () => {
    const met = new Set<string>();
    return (call: S3Call) => isPut(call) && met.size < met.add(call.key).size;
  };

  it('does not fail of a record that is refused once', async () => {
    void s3.strike(firstPuts(), refuse(503, 'SlowDown'), 1000);
    const ended = await start(env).ended;
    expect(documentOf(ended).status).toBe('success');
    const records = (await bucket.keys()).filter((key) => key.startsWith('_ingesta/'));
    expect(records.map((key) => key.replace(/.*\//, ''))).toEqual(['objects-1.json', 'result-1.json']);
    expect(await bucket.read(records[1]!)).toBe(ended.stdout.trimEnd());
  });

  /** Starts a job that lies in the lake; where its answer goes. */
  const startThere = async (more: Env) => {
    const job = { ...jobFor(''), env: {} };
    const keys = runKeys('ventas', job.run_id);
    const lake = await openLake(bucket.settings(false));
    await lake.putIfAbsent(keys.job(3), Buffer.from(JSON.stringify(job)));
    await lake.close();
    return { run: start({ ...env, INGESTA_JOB: `lake:${keys.job(3)}`, ...more }), answer: keys.result(3) };
  };

  it('leaves its answer there although that is refused once, late', async () => {
    // Later than a script waits that was told to stop.
    void s3.strike(isAnswer, async (exchange) => {
      await sleep(3_500);
      await refuse(503, 'SlowDown')(exchange);
    });
    const { run, answer } = await startThere({ FAKE_CONNECT: 'refused' });
    const ended = await run.ended;
    expect([ended.code, failureOf(ended).error.code]).toEqual([77, 'SOURCE_AUTH']);
    expect(await bucket.read(answer)).toBe(ended.stdout.trimEnd());
  });

  const unanswered = () => undefined;

  it('does not wait for long to leave its answer when it was told to stop', async () => {
    void s3.strike(isAnswer, unanswered, 1000);
    const { run } = await startThere({ FAKE_SLOW: '1', FAKE_ROWS: '100000' });
    await event(run, 'progress');
    run.child.kill('SIGTERM');
    const ended = await run.ended;
    expect([ended.code, failureOf(ended).error.code]).toEqual([143, 'RUN_CANCELLED']);
    expect(eventsOf(ended.stderr).at(-1)).toMatchObject({ message: expect.stringContaining('no answer within 3 s') });
  });

  it('is not held by its answer when it is told to stop meanwhile', async () => {
    const asked = s3.strike(isAnswer, unanswered);
    const { run } = await startThere({ FAKE_CONNECT: 'refused' });
    await asked;
    run.child.kill('SIGTERM');
    const ended = await run.ended;
    expect([ended.code, failureOf(ended).error.code]).toEqual([77, 'SOURCE_AUTH']);
    expect(eventsOf(ended.stderr).at(-1)).toMatchObject({ message: expect.stringContaining('no answer within 3 s') });
  });
});

describe('a run that is stopped', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('by %s aborts its uploads and ends with 143', async (signal) => {
    const lake = newLake();
    const run = start({ LAKE_URL: lake, FAKE_SLOW: '1', FAKE_ROWS: '100000' });
    await event(run, 'progress');
    expect(temporaries(lake)).toHaveLength(1);
    run.child.kill(signal);
    run.child.kill(signal);
    const ended = await run.ended;
    expect([ended.code, failureOf(ended).error]).toMatchObject([
      143,
      { code: 'RUN_CANCELLED', message: `Stopped by ${signal}` },
    ]);
    expect([await keysOf(lake), temporaries(lake)]).toEqual([[], []]);
  });

  it('by its deadline while compressing', async () => {
    const lake = newLake();
    const deadline = new Date(Date.now() + 1_500).toISOString();
    const ended = await startJob(jobFor(lake, { deadline, format: 'csv.gz' }, { FAKE_SLOW: '1', FAKE_ROWS: '100000' }))
      .ended;
    expect([ended.code, failureOf(ended).error.code]).toEqual([143, 'RUN_TIMEOUT']);
    expect([await keysOf(lake), temporaries(lake)]).toEqual([[], []]);
  });

  it('by a deadline that had passed before it began', async () => {
    const ended = await startJob(jobFor(newLake(), { deadline: '2025-01-02T15:30:45.000Z' }, { FAKE_SLOW: '1' })).ended;
    expect([ended.code, failureOf(ended).error.code]).toEqual([143, 'RUN_TIMEOUT']);
  });

  // Each takes the whole grace: started together, awaited one by one.
  it('although it ignores the signal, waits for its job, or stands still, ends after the grace', async () => {
    const hanging = start({ LAKE_URL: newLake(), FAKE_CONNECT: 'hang' });
    const standing = start({ LAKE_URL: newLake(), FAKE_CONNECT: 'standstill' });
    const waiting = spawn(process.execPath, [script], { env: { INGESTA_JOB: 'stdin' } });
    let waited = '';
    waiting.stdout.on('data', (data) => {
      waited += data;
    });
    const waitedFor = new Promise((resolve) => waiting.once('close', resolve));
    await event(hanging, 'log');
    // The one that waits for its job tells nothing; but it reads more than a pipe holds.
    await new Promise((resolve) => waiting.stdin.write(' '.repeat(256 * 1024), resolve));
    hanging.child.kill('SIGTERM');
    waiting.kill('SIGTERM');

    const hung = await hanging.ended;
    expect([hung.code, failureOf(hung).error.code]).toEqual([143, 'RUN_CANCELLED']);
    const stood = await standing.ended;
    expect([stood.code, failureOf(stood).error.message]).toEqual([70, 'The script came to a standstill']);
    expect([await waitedFor, JSON.parse(waited).error.code]).toEqual([143, 'RUN_CANCELLED']);
  });
});

describe('a run whose readers are gone', () => {
  it('ends well without stdout and stderr: the copy in the lake counts', async () => {
    const lake = newLake();
    const job = jobFor(lake);
    const run = startJob(job);
    run.child.stdout.destroy();
    run.child.stderr.destroy();
    expect((await run.ended).code).toBe(0);
    const keys = await keysOf(lake);
    expect(keys).toContain(runKeys('ventas', job.run_id).result(3));
    expect(keys).toHaveLength(3);
  });

  it('keeps its exit code when it fails', async () => {
    const run = start({ LAKE_URL: newLake(), FAKE_CONNECT: 'refused' });
    run.child.stdout.destroy();
    run.child.stderr.destroy();
    expect((await run.ended).code).toBe(77);
  });

  it('describes itself to nobody', async () => {
    const run = start({}, { args: ['--describe'] });
    run.child.stdout.destroy();
    expect((await run.ended).code).toBe(0);
  });
});

it('reads its password from a file', async () => {
  const file = join(folder, 'password');
  writeFileSync(file, `${SECRET}\n`);
  const ended = await start({ LAKE_URL: newLake(), FAKE_PASSWORD: undefined, FAKE_PASSWORD_FILE: file }).ended;
  expect(ended.code).toBe(0);
  documentOf(ended);
});
