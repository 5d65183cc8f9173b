import { MAX_RESULT_BYTES, type ScriptEvent } from '@ingesta/kit';
import { givenJob, givenSpec } from '../testing/given';
import type { JobSpec, Outcome, Runner } from './runner';

/** A runner whose source `suite` is `testing/suite-script.cjs`. */
export interface RunnerGiven {
  runner: Runner;
  /** What is still there of earlier launches: containers, processes. */
  left: () => Promise<string[]>;
  labels?: Record<string, string>;
  /** What every job has in its environment. */
  env?: Record<string, string>;
}

/** A launch of `suite` that does `deed`. */
export async function specOf(
  { runner, labels = {}, env: always = {} }: RunnerGiven,
  deed: string,
  env: Record<string, string> = {},
  change: Partial<JobSpec> = {},
): Promise<JobSpec> {
  const source = await runner.resolve('suite');
  const run_id = `suite-${Math.random().toString(36).slice(2)}`;
  const job = givenJob({
    database: 'suite',
    run_id,
    env: { DO: deed, PASSWORD: 'canary-in-the-job', ...always, ...env },
  });
  return givenSpec(source, { job, labels, ...change });
}

export const never = new AbortController().signal;
export const ignored = () => undefined;

/** The contract of `Runner`, kept by every adapter. Call inside a `describe`; `given` is asked inside tests only. */
export function runnerSuite(given: () => RunnerGiven): void {
  launchSuite(given);
  streamSuite(given);
}

const launching =
  (given: () => RunnerGiven) =>
  async (deed: string, env?: Record<string, string>, change?: Partial<JobSpec>): Promise<Outcome> =>
    given().runner.run(await specOf(given(), deed, env, change), never, ignored);

/** What holds whatever a job is handed over by. */
export function launchSuite(given: () => RunnerGiven): void {
  const launch = launching(given);

  /** Aborts as soon as the script is ready. */
  async function stopped(deed: string): Promise<Outcome> {
    const stop = new AbortController();
    return given().runner.run(await specOf(given(), deed), stop.signal, () => stop.abort());
  }

  afterEach(async () => expect(await given().left()).toEqual([]));

  it.each([0, 1, 64, 77, 143, 255])('gives exit code %s as data', async (code) => {
    expect(await launch('exit', { CODE: String(code) })).toMatchObject({ exitCode: code, oomKilled: false });
  });

  it('asks a script to stop, and tells that it did', async () => {
    expect(await stopped('obey')).toMatchObject({ exitCode: 143, oomKilled: false });
  });

  it('kills a script that will not stop, and does not take that for want of memory', async () => {
    expect(await stopped('ignore')).toMatchObject({ exitCode: 137, oomKilled: false });
  });

  it('stops a script whose run was given up before it began', async () => {
    const outcome = await given().runner.run(await specOf(given(), 'obey'), AbortSignal.abort(), ignored);
    expect([137, 143]).toContain(outcome.exitCode);
  });

  it('takes a heap that is full for want of memory', async () => {
    expect(await launch('heap', {}, { memoryMiB: 96 })).toMatchObject({ oomKilled: true });
  });

  it('runs several at once and mixes nothing up', async () => {
    const outcomes = await Promise.all([1, 2, 3, 4].map((code) => launch('exit', { CODE: String(code) })));
    expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([1, 2, 3, 4]);
  });

  it('knows its source, and no other', async () => {
    const { runner } = given();
    await runner.check();
    expect(await runner.list()).toEqual([expect.objectContaining({ name: 'suite', present: true, title: 'Suite' })]);
    expect((await runner.resolve('suite')).description.env_prefix).toBe('SUITE_');
    await expect(runner.resolve('absent')).rejects.toMatchObject({
      code: 'UNKNOWN_SOURCE',
      hint: expect.stringContaining('suite'),
    });
  });
}

/** What holds besides where the runner has the script's stdin, stdout and stderr. */
function streamSuite(given: () => RunnerGiven): void {
  const launch = launching(given);

  it('hands the job over stdin, byte for byte, and shows nothing of it in the environment', async () => {
    const spec = await specOf(given(), 'echo', { ODD: 'ñ€😀 "\\\n', LONG: 'x'.repeat(200_000) });
    const outcome = await given().runner.run(spec, never, ignored);
    expect(outcome).toMatchObject({ exitCode: 0, oomKilled: false, stdoutProblem: null });
    const { text, env, names } = JSON.parse(outcome.stdout.toString('utf8'));
    expect(JSON.parse(text)).toEqual(spec.job);
    expect(env).toEqual(['INGESTA_JOB']);
    for (const name of Object.keys(spec.job.env)) expect(names).not.toContain(name);
    expect(outcome.finishedAt.getTime()).toBeGreaterThanOrEqual(outcome.startedAt.getTime());
  });

  it('gives no stdout, and garbage, as they are', async () => {
    expect(await launch('silence')).toMatchObject({ exitCode: 0, stdout: Buffer.alloc(0), stdoutProblem: null });
    expect((await launch('garbage')).stdout.toString()).toBe('this is\0no JSON');
  });

  it('stops a script that writes 1 GiB to stdout, in bounded memory', async () => {
    const before = process.memoryUsage.rss();
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 20);
    const outcome = await launch('huge').finally(() => clearInterval(watch));
    expect(outcome).toMatchObject({ stdoutProblem: 'too_long', oomKilled: false });
    expect(outcome.stdout.length).toBeLessThanOrEqual(MAX_RESULT_BYTES);
    expect(most - before).toBeLessThan(250 * 1024 * 1024);
  });

  it('forwards events in order, other lines as such, and keeps those', async () => {
    const events: ScriptEvent[] = [];
    const outcome = await given().runner.run(await specOf(given(), 'events'), never, (event) => events.push(event));
    expect(events.map((event) => event.event === 'log' && event.message)).toEqual(['one', 'a stack trace', 'two']);
    expect(outcome.stderrTail).toBe('a stack trace');
  });

  it('leaves no grandchild behind', async () => {
    const outcome = await launch('grandchild');
    expect(outcome).toMatchObject({ exitCode: 0, stdout: Buffer.from('"left one behind"') });
  });
}

/** `source.json` of the suite's source. */
export const SUITE_SOURCE = { title: 'Suite', env_prefix: 'SUITE_', env: [], command: ['node', './main.cjs'] };
