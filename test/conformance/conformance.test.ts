import { join } from 'node:path';
import { createBucket } from '../e2e/harness/s3';
import { describeWith } from '../services/need';
import { checksOf } from './checks/index';
import { conformance, holds, type Line } from './conformance';
import { startBreakerDatabase } from './fixtures/breaker-database';
import { openSubject } from './open-subject';
import { startRelay } from './relay';

const FOLDER = join(__dirname, 'fixtures/breaker');
const DATASETS_DIR = join(__dirname, 'fixtures/datasets');
/** What is looked at beside the broken rule, to see that it does not fail too. All of it for each rule would take minutes. */
const NEIGHBOURS = ['job', 'stdout', 'result', 'objects', 'csv', 'exit 66'];
/** Those that read what a failing script prints. */
const ON_FAILURES = ['exit 64', 'exit 66', 'exit 69', 'exit 73', 'exit 77'];
const PASSWORD = 's3cret/"word"';

let database: Awaited<ReturnType<typeof startBreakerDatabase>>;

beforeAll(async () => {
  database = await startBreakerDatabase('127.0.0.1', PASSWORD);
});
afterAll(() => database.stop());

/** All checks of the breaker that breaks `rule`. */
async function check(rule: string, lake: Record<string, string> = {}, only: string[] = []): Promise<Line[]> {
  const subject = await openSubject({ target: [FOLDER], name: undefined, network: null, timeoutMs: 20_000 });
  const port = String(database.port);
  const settings = { BREAKER_HOST: '127.0.0.1', BREAKER_PORT: port, BREAKER_PASSWORD: PASSWORD, BREAKER_BREAK: rule };
  return conformance(subject, { ...settings, DATASETS_DIR, ...lake }, only);
}

const named = (lines: readonly Line[], state: Line['state']) =>
  lines.filter((line) => line.state === state).map((line) => line.check);

describe('a script that obeys', () => {
  it('passes every check that a folder lake allows', async () => {
    const lines = await check('');
    expect(lines.filter(({ state }) => state === 'failed' || state === 'advice')).toEqual([]);
    expect(named(lines, 'not checked')).toEqual(['attempt']);
    expect([holds(lines, false), holds(lines, true)]).toEqual([true, false]);
  });

  it('is told where a recommendation is not followed, and passes', async () => {
    const lines = await check('copy absent', {}, ['copy']);
    expect(lines).toEqual([
      expect.objectContaining({ state: 'advice', seen: expect.stringContaining('result-2.json') }),
    ]);
    expect(holds(lines, true)).toBe(true);
  });
});

describe('a script that breaks one rule', () => {
  // With what looks at the same thing, or follows from it.
  it.each<[string, string[]]>([
    ['job', ['job']],
    ['stdout', ['stdout', ...ON_FAILURES]],
    ['stdout twice', ['stdout', ...ON_FAILURES]],
    ['stdout flood', ['stdout', ...ON_FAILURES]],
    ['result', ['result', 'dry run']],
    ['events', ['events']],
    ['keys', ['keys', 'csv.gz']],
    ['objects', ['objects', 'csv', 'env only', 'csv.gz', 'one fails']],
    ['stray', ['objects']],
    ['sha256', ['objects']],
    ['csv value', ['csv', 'csv.gz']],
    ['csv header', ['csv', 'csv.gz']],
    ['csv cut', ['csv', 'csv.gz']],
    ['rows', ['csv', 'csv.gz']],
    ['sensitive', ['sensitive', 'datasets']],
    ['sensitive key', ['sensitive']],
    ['copy', ['copy']],
    ['env only', ['env only']],
    ['job in lake', ['job in lake']],
    ['dry run', ['dry run']],
    ['csv.gz', ['csv.gz']],
    ['tables', ['tables', 'TABLES']],
    ['TABLES', ['TABLES']],
    ['SENSITIVE_COLUMNS', ['SENSITIVE_COLUMNS']],
    ['datasets', ['datasets', 'no query']],
    ['exit 64', ['exit 64', 'no query']],
    ['exit 66', ['exit 66']],
    ['unnamed', ['exit 66', 'exit 64', 'no query']],
    ['exit 69', ['exit 69', 'lost']],
    ['exit 77', ['exit 77']],
    ['exit 73', ['exit 73', 'overwrite', 'one fails']],
    ['exit 143', ['SIGTERM', 'deadline']],
    ['SIGTERM', ['SIGTERM']],
    ['leftovers', ['SIGTERM', 'lost', 'one fails', 'exit 73']],
    ['deadline', ['deadline']],
    ['overwrite', ['overwrite', 'one fails']],
    ['one fails', ['one fails']],
    ['secrets', ['secrets']],
  ])('%s: fails %j', async (rule, failing) => {
    const all = checksOf({ kind: 'command' }).map(({ name }) => name);
    const lines = await check(
      rule,
      {},
      all.filter((name) => failing.includes(name) || NEIGHBOURS.includes(name)),
    );
    const failed = lines.filter(({ state }) => state === 'failed');
    expect({ failed: failed.map((line) => line.check).sort(), seen: failed }).toMatchObject({
      failed: [...failing].sort(),
    });
    expect(holds(lines, false)).toBe(false);
  });
});

describe('a script that cannot be asked', () => {
  const open = (...target: string[]) => openSubject({ target, name: 'mute', network: null, timeoutMs: 20_000 });

  it('fails for not describing itself, and the rest is visibly not checked', async () => {
    const lines = await conformance(await open('node', '-e', 'console.log("I am a script")'), {});
    expect(lines[0]).toMatchObject({ check: 'describe', state: 'failed' });
    expect(named(lines, 'not checked')).toHaveLength(lines.length - 1);
  });

  it('is not checked without its settings, nor for what is no check', async () => {
    await expect(conformance(await open(FOLDER), {})).rejects.toThrow('BREAKER_HOST is not set');
    await expect(check('', {}, ['nope'])).rejects.toThrow('There is no check nope');
  });

  it('is stopped when it takes too long, and said so', async () => {
    const subject = await openSubject({ target: [FOLDER], name: undefined, network: null, timeoutMs: 10_000 });
    const silent = await startRelay('127.0.0.1', [], 1);
    const settings = { BREAKER_HOST: '127.0.0.1', BREAKER_PORT: String(silent.port), BREAKER_PASSWORD: PASSWORD };
    const lines = await conformance(subject, settings, ['job']);
    await silent.close();
    expect(lines).toEqual([
      expect.objectContaining({ state: 'failed', seen: expect.stringContaining('stopped for taking too long') }),
    ]);
  });
});

describeWith(['s3'], 'in a bucket', () => {
  it('is checked to the end, and nothing of it stays', async () => {
    const bucket = await createBucket();
    const lines = await check('', bucket.settings(false));
    // It reads jobs from folders only, and says so.
    expect(lines.filter(({ state }) => state !== 'ok')).toEqual([
      expect.objectContaining({ check: 'job in lake', state: 'advice' }),
    ]);
    expect(await bucket.keys()).toEqual([]);
  });

  it('fails for an upload that it leaves open when it is stopped or loses its database', async () => {
    const bucket = await createBucket();
    const lines = await check('upload', bucket.settings(false), ['objects', 'overwrite', 'lost', 'SIGTERM']);
    expect(named(lines, 'failed')).toEqual(['lost', 'SIGTERM']);
    for (const { check, seen } of lines) {
      expect(seen.includes('an open upload of ')).toBe(['lost', 'SIGTERM'].includes(check));
    }
    expect(await bucket.unfinishedUploads()).toBe(0);
  });

  it('fails where its objects do not carry the attempt', async () => {
    const bucket = await createBucket();
    expect(named(await check('attempt', bucket.settings(false)), 'failed')).toEqual(['attempt']);
  });
});
