import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import {
  ATTEMPT_METADATA,
  type Job,
  type Lake,
  openLake,
  type RunRecord,
  type ScriptResult,
  type SourceDescription,
} from '@ingesta/kit';
import { transports } from 'winston';
import { type Config, parseConfig } from '../config';
import type { JobSupplies } from '../ingest/job';
import { createLog, type Log } from '../log';
import type { JobSpec, LaunchableSource, Outcome } from '../runners/runner';

/** A source like those in `scripts/`, with one variable of each kind. */
export const DESCRIPTION: SourceDescription = {
  title: 'MySQL',
  env_prefix: 'MYSQL_',
  env: [
    { name: 'MYSQL_HOST', description: 'Host.', aliases: [], required: true, secret: false, host: true },
    { name: 'MYSQL_USER', description: 'User.', aliases: [], required: true, secret: false, host: false },
    { name: 'MYSQL_PASSWORD', description: 'Password.', aliases: [], required: false, secret: true, host: false },
  ],
  command: ['node', 'main.js'],
};

export const givenSource = (change: Partial<LaunchableSource> = {}): LaunchableSource => ({
  name: 'mysql',
  envPrefix: '',
  runner: 'docker',
  reference: 'ingesta-mysql:latest',
  digest: `sha256:${'ab'.repeat(32)}`,
  description: DESCRIPTION,
  ...change,
});

export const givenConfig = (env: Record<string, string> = {}): Config =>
  parseConfig({ AWS_BUCKET_NAME: 'bucket', MYSQL_HOST: 'db.example', MYSQL_USER: 'reader', ...env });

export const givenJob = (change: Partial<Job> = {}): Job => ({
  database: 'mysql',
  run_id: '01890a5d-ac96-774b-bcce-b302099a8057',
  attempt: 1,
  nonce: 'nonce-1',
  timestamp: '20250102_153045',
  deadline: null,
  tables: null,
  format: 'csv',
  datasets: [],
  dry_run: false,
  env: { MYSQL_PASSWORD: 'canary-in-the-job' },
  ...change,
});

export const givenSupplies = (change: Partial<JobSupplies> = {}): JobSupplies => ({
  credentials: {},
  secrets: {},
  folder: null,
  datasets: [],
  ...change,
});

export const givenSpec = (source: LaunchableSource, change: Partial<JobSpec> = {}): JobSpec => ({
  source,
  job: givenJob({ database: source.name }),
  labels: {},
  memoryMiB: 128,
  cpus: 1,
  network: null,
  ownCredentials: null,
  lakeFolder: null,
  ...change,
});

export const givenOutcome = (change: Partial<Outcome> = {}): Outcome => ({
  exitCode: 0,
  oomKilled: false,
  stdout: Buffer.alloc(0),
  stdoutProblem: null,
  stderrTail: '',
  startedAt: new Date(0),
  finishedAt: new Date(1000),
  ...change,
});

/** A run that has just begun. */
export const givenRunRecord = (change: Partial<RunRecord> = {}): RunRecord => ({
  run_id: '01890a5d-ac96-774b-bcce-b302099a8057',
  database: 'mysql',
  state: 'running',
  revision: 0,
  epoch: 0,
  gateway: null,
  requested_by: null,
  started_at: '2025-01-02T15:30:45.000Z',
  finished_at: null,
  deadline: null,
  timestamp: '20250102_153045',
  request: { tables: null, format: 'csv', dry_run: false },
  runner: 'docker',
  image: 'ingesta-mysql:latest',
  image_digest: null,
  attempts: 1,
  consistency: null,
  duration_ms: null,
  progress: {},
  warnings: [],
  error: null,
  ...change,
});

/** Does what a good script does: one object per table, the copy of the result, and the result itself. */
export async function exportTables(lake: Lake, job: Job, tables: Record<string, string>): Promise<ScriptResult> {
  const result: ScriptResult['result'] = {};
  for (const [table, csv] of Object.entries(tables)) {
    const key = `${job.database}/${table}_${job.timestamp}.csv`;
    const body = Buffer.from(csv);
    await lake.create(key, bodyOf(body), { contentType: 'text/csv', metadata: { [ATTEMPT_METADATA]: job.nonce } });
    result[table] = {
      url: lake.urlOf(key),
      registros: csv.split('\n').length - 2,
      key,
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
      columns: [{ name: 'id', source_type: 'int', logical_type: 'integer', nullable: false }],
      dropped_columns: [{ name: 'password', reason: 'built-in rule: password' }],
    };
  }
  return {
    status: 'success',
    database: job.database,
    result,
    run_id: job.run_id,
    attempt: job.attempt,
    nonce: job.nonce,
    consistency: 'snapshot',
    taken_at: '2025-01-02T15:30:45.000Z',
    duration_ms: 12,
    warnings: [],
  };
}

async function* bodyOf(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}

/** A folder lake of its own. */
export async function givenLake(): Promise<{ lake: Lake; env: { LAKE_URL: string }; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-lake-'));
  const env = { LAKE_URL: pathToFileURL(folder).href };
  return { lake: await openLake(env), env, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The keys that are in a lake. */
/** `lake`, but for some of its methods. */
export const lakeWith = (lake: Lake, changed: Partial<Lake>): Lake =>
  new Proxy(lake, {
    get: (target, name) => {
      const value = Reflect.get(name in changed ? changed : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

export async function keysOf(lake: Lake, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.list(prefix)) keys.push(key);
  return keys;
}

export async function readJson(lake: Lake, key: string): Promise<Record<string, unknown>> {
  const stored = await lake.get(key);
  if (stored === null) throw new Error(`${key} is absent`);
  return JSON.parse(stored.body.toString('utf8'));
}

/** The real log, writing into `lines`. */
export function capturedLog(secrets: readonly string[] = [], human = false): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = createLog('debug', secrets, human);
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => lines.push(chunk.toString('utf8').trimEnd()));
  log.clear().add(new transports.Stream({ stream }));
  return { log, lines };
}
