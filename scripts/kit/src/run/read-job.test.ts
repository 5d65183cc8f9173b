import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { Job } from '../contract/job';
import { openLake } from '../lake/open-lake';
import { jobFromEnv, readJob, timestampOf } from './read-job';

const NOW = new Date('2025-01-02T15:30:45.999Z');

const job: Job = {
  database: 'mysql',
  run_id: randomUUID(),
  attempt: 2,
  nonce: randomUUID(),
  timestamp: '20250102_153045',
  deadline: '2025-01-02T16:30:45.000Z',
  tables: ['users'],
  format: 'csv.gz',
  datasets: [{ name: 'ofertas', text: 'SELECT 1' }],
  dry_run: false,
  env: { MYSQL_HOST: 'db', MYSQL_PASSWORD: 's3cr3t' },
};
const fromStdin = (text: string | Buffer) =>
  readJob(
    { INGESTA_JOB: 'stdin' },
    [],
    Readable.from([Buffer.from(text).subarray(0, 7), Buffer.from(text).subarray(7)]),
  );
const config = (message: string | RegExp) => ({
  exitCode: 64,
  code: 'SOURCE_CONFIG',
  message: expect.stringMatching(message),
});

describe('a job on stdin', () => {
  it('is taken as it is', async () => {
    expect(await fromStdin(JSON.stringify(job))).toEqual(job);
  });

  it.each(['', 'not JSON: s3cr3t', '{"env":{"MYSQL_PASSWORD":"s3cr3t"'])(
    'is refused without telling it: %j',
    async (text) => {
      await expect(fromStdin(text)).rejects.toMatchObject(config(/^stdin holds no JSON job$/));
    },
  );

  it('is refused with the places where it is wrong, not with what stands there', async () => {
    const wrong = { ...job, database: 'S3CR3T', attempt: 0, env: { MYSQL_PASSWORD: 5 } };
    await expect(fromStdin(JSON.stringify(wrong))).rejects.toMatchObject(
      config(/^The job on stdin is malformed at: database, attempt, env\.MYSQL_PASSWORD$/),
    );
    await expect(fromStdin('[]')).rejects.toMatchObject(config(/malformed at: \(whole\)$/));
  });

  it.each([
    ['run_id', '../x'],
    ['nonce', ''],
    ['timestamp', '2025-01-02'],
    ['deadline', 'tomorrow'],
    ['format', 'parquet'],
    ['tables', 'users'],
    ['datasets', 'ofertas'],
  ])('is refused for its %s %j', async (field, value) => {
    await expect(fromStdin(JSON.stringify({ ...job, [field]: value }))).rejects.toMatchObject(config(`at: ${field}$`));
  });

  it('is refused when it is over 1 MiB', async () => {
    await expect(fromStdin(Buffer.alloc(1024 * 1024 + 1, ' '))).rejects.toMatchObject(config('over 1 MiB'));
  });
});

describe('a job in the lake', () => {
  let folder: string;
  let env: { LAKE_URL: string };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'read-job-'));
    env = { LAKE_URL: pathToFileURL(folder).href };
  });
  afterAll(() => rm(folder, { recursive: true }));

  const given = async (key: string, text: string, more: Record<string, string> = {}) => {
    const lake = await openLake(env);
    await lake.putIfAbsent(key, Buffer.from(text));
    return readJob({ ...env, ...more, INGESTA_JOB: `lake:${key}` }, [], Readable.from([]));
  };

  it('is taken as it is, but for what the environment says', async () => {
    const read = await given('jobs/1.json', JSON.stringify(job), { MYSQL_PASSWORD: 'of the task' });
    expect(read).toEqual({
      ...job,
      env: expect.objectContaining({ MYSQL_HOST: 'db', MYSQL_PASSWORD: 'of the task', ...env }),
    });
  });

  it('is refused where it is absent or malformed, without telling it', async () => {
    const absent = readJob({ ...env, INGESTA_JOB: 'lake:jobs/none.json' }, [], Readable.from([]));
    await expect(absent).rejects.toMatchObject(config('no job at jobs/none.json'));
    await expect(given('jobs/2.json', 's3cr3t')).rejects.toMatchObject(config(/^jobs\/2\.json holds no JSON job$/));
    await expect(given('jobs/3.json', '{"attempt":"s3cr3t"}')).rejects.toMatchObject(
      config(/malformed at: (?!.*s3cr3t)/),
    );
  });
});

describe('a job from the environment', () => {
  it('is made of it, with the defaults of a bare run', async () => {
    const env = { INGESTA_SOURCE: 'mysql', MYSQL_HOST: 'db', EMPTY: '', NONE: undefined };
    const made = jobFromEnv(env, false, NOW);
    expect(made).toEqual({
      database: 'mysql',
      run_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      attempt: 1,
      datasets: [],
      nonce: expect.stringMatching(/^[0-9a-f-]{36}$/),
      timestamp: '20250102_153045',
      deadline: null,
      tables: null,
      format: 'csv',
      dry_run: false,
      env: { INGESTA_SOURCE: 'mysql', MYSQL_HOST: 'db', EMPTY: '' },
    });
    expect(jobFromEnv(env, false).nonce).not.toBe(made.nonce);
  });

  it('heeds FORMAT, RUN_TIMEOUT and --dry-run, and never reads stdin', async () => {
    const stdin = Readable.from([Buffer.from('{}')]);
    const env = { INGESTA_SOURCE: 'mysql', FORMAT: 'csv.gz' };
    expect(await readJob(env, ['--dry-run'], stdin)).toMatchObject({ format: 'csv.gz', dry_run: true });
    expect(stdin.readableDidRead).toBe(false);
    expect(jobFromEnv({ ...env, RUN_TIMEOUT: '60' }, false, NOW).deadline).toBe('2025-01-02T15:31:45.999Z');
  });

  it.each([
    [{ INGESTA_SOURCE: 'My SQL' }, '"My SQL" is no source name'],
    [{ INGESTA_SOURCE: 'mysql', FORMAT: 'parquet' }, 'FORMAT=parquet is unknown'],
    [{ INGESTA_SOURCE: 'mysql', RUN_TIMEOUT: '1h' }, 'RUN_TIMEOUT=1h is no number of seconds'],
    [{ INGESTA_SOURCE: 'mysql', RUN_TIMEOUT: '0' }, 'RUN_TIMEOUT=0 is no number of seconds'],
    [{ INGESTA_SOURCE: 'mysql', INGESTA_JOB: 'file' }, 'INGESTA_JOB=file is unknown'],
  ])('is refused: %j', async (env, message) => {
    await expect(readJob(env, [], Readable.from([]))).rejects.toMatchObject(config(message));
  });
});

it('tells a timestamp in UTC', () => {
  expect(timestampOf(NOW)).toBe('20250102_153045');
});
