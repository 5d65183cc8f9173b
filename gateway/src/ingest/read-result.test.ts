import { EXIT, type Job, type Lake, runKeys, type ScriptOutput } from '@ingesta/kit';
import type { ApiError } from '../errors';
import type { Outcome } from '../runners/runner';
import { givenJob, givenLake, givenOutcome } from '../testing/given';
import { readResult } from './read-result';

const job = givenJob();
const success = (change: object = {}) => ({
  status: 'success',
  database: 'mysql',
  result: {},
  run_id: job.run_id,
  attempt: 1,
  nonce: job.nonce,
  consistency: 'snapshot',
  taken_at: '2025-01-02T15:30:45.000Z',
  duration_ms: 1,
  warnings: [],
  ...change,
});
const failure = (code: string, message = 'said', hint = 'do this') => ({
  status: 'error',
  database: 'mysql',
  error: { code, message, hint, run_id: null },
});
const printed = (document: unknown, change: Partial<Outcome> = {}) =>
  givenOutcome({ stdout: Buffer.from(JSON.stringify(document)), ...change });
const redact = (text: string) => text.replaceAll('canary', '***');
const read = (outcome: Outcome, of: Job = job, lake: Lake | null = null) => readResult(outcome, of, lake, redact);
const errorOf = (outcome: Outcome, of: Job = job, lake: Lake | null = null): Promise<ApiError> =>
  read(outcome, of, lake).then(
    () => Promise.reject(new Error('no error')),
    (error: ApiError) => error,
  );

describe('an exit code', () => {
  it.each([
    [EXIT.CONFIG, 'SOURCE_CONFIG', 422],
    [EXIT.TABLE_NOT_FOUND, 'TABLE_NOT_FOUND', 422],
    [EXIT.UNAVAILABLE, 'SOURCE_UNAVAILABLE', 502],
    [EXIT.INTERNAL, 'SCRIPT_FAILED', 502],
    [EXIT.LAKE, 'LAKE_DENIED', 502],
    [EXIT.TEMPORARY, 'SOURCE_UNAVAILABLE', 502],
    [EXIT.AUTH, 'SOURCE_AUTH', 502],
    [EXIT.STOPPED, 'RUN_CANCELLED', 409],
    [1, 'SCRIPT_FAILED', 502],
    [127, 'SCRIPT_FAILED', 502],
    [139, 'SCRIPT_FAILED', 502],
    [null, 'RUNNER_UNAVAILABLE', 503],
  ])('%s is %s', async (exitCode, code, status) => {
    const silent = await errorOf(givenOutcome({ exitCode }));
    expect([silent.code, silent.status]).toEqual([code, status]);
    // The code is read first: what is printed cannot turn it into something else, nor into a success.
    expect((await errorOf(printed(failure('IMAGE_NOT_FOUND'), { exitCode }))).code).toBe(code);
    expect((await errorOf(printed(success(), { exitCode }))).code).toBe(code);
    expect((await errorOf(printed(failure(code), { exitCode, stdoutProblem: 'cut' }))).code).toBe(code);
  });

  it('comes with what the script said', async () => {
    expect(await errorOf(printed(failure('SOURCE_AUTH'), { exitCode: 77 }))).toMatchObject({
      message: 'said',
      hint: 'do this',
    });
  });

  it('comes with the last words on stderr where it said nothing', async () => {
    const error = await errorOf(givenOutcome({ exitCode: 1, stderrTail: 'a\nb\nc\nd' }));
    expect(error.hint).toBe('Its last words: b | c | d');
  });

  it('73 leaves the choice among the lake’s failures to the script', async () => {
    for (const code of ['LAKE_DENIED', 'LAKE_UNAVAILABLE', 'SCRIPT_FAILED']) {
      expect((await errorOf(printed(failure(code), { exitCode: 73 }))).code).toBe(code);
    }
  });

  it('never tells a secret, whatever the script said', async () => {
    const errors = [
      await errorOf(printed(failure('X', 'pw canary', 'try canary'), { exitCode: 77 })),
      await errorOf(printed(failure('X', 'pw canary', 'try canary'), { exitCode: 143 })),
      await errorOf(printed(failure('X', 'pw canary'))),
      await errorOf(givenOutcome({ exitCode: 1, stderrTail: 'Error: canary' })),
      await errorOf(givenOutcome({ stdout: Buffer.from('canary'), stderrTail: 'canary' })),
    ];
    for (const { message, hint } of errors) expect(message + hint).not.toContain('canary');
  });

  it('of a kill says that memory was the probable cause', async () => {
    const error = await errorOf(givenOutcome({ exitCode: 137, oomKilled: true }));
    // The engine knows that also of a script whose end nobody saw.
    expect(await errorOf(givenOutcome({ exitCode: null, oomKilled: true }))).toEqual(error);
    expect(error).toMatchObject({ code: 'SCRIPT_FAILED', message: expect.stringContaining('memory') });
    expect(error.hint).toContain('SCRIPT_MEMORY_MB');
    expect(error.hint).toContain('90 GiB');
  });

  it('143 is a time-out once the deadline has passed', async () => {
    const finishedAt = new Date('2025-01-02T16:00:00Z');
    const stopped = (deadline: string) => errorOf(givenOutcome({ exitCode: 143, finishedAt }), givenJob({ deadline }));
    expect((await stopped('2025-01-02T16:00:00.500Z')).code).toBe('RUN_TIMEOUT');
    expect((await stopped('2025-01-02T15:59:59.000Z')).code).toBe('RUN_TIMEOUT');
    expect((await stopped('2025-01-02T16:30:00.000Z')).code).toBe('RUN_CANCELLED');
  });
});

describe('exit 0', () => {
  it('gives the result', async () => {
    expect(await read(printed(success()))).toEqual(success());
  });

  it('gives the plan of a dry run, and takes nothing else for one', async () => {
    const dry = givenJob({ dry_run: true });
    const { run_id, nonce } = job;
    const plan = { status: 'planned', database: 'mysql', plan: {}, run_id, attempt: 1, nonce, consistency: 'none' };
    expect(await read(printed(plan), dry)).toEqual(plan);
    expect((await errorOf(printed(success()), dry)).code).toBe('SCRIPT_FAILED');
    expect((await errorOf(printed(plan))).code).toBe('SCRIPT_FAILED');
  });

  it.each(['', ' ', 'done', '{"status":"success"}', '[]', 'null', `${JSON.stringify(success())}{}`])(
    'with %j on stdout is a failure',
    async (text) => expect((await errorOf(givenOutcome({ stdout: Buffer.from(text) }))).code).toBe('SCRIPT_FAILED'),
  );

  it('with an error document is a failure', async () => {
    expect(await errorOf(printed(failure('SOURCE_AUTH')))).toMatchObject({
      code: 'SCRIPT_FAILED',
      message: expect.stringContaining('said'),
    });
  });

  it.each([{ nonce: 'other' }, { run_id: 'other' }, { attempt: 2 }, { database: 'postgresql' }])(
    'with the result of another job (%j) is a failure',
    async (change) => expect((await errorOf(printed(success(change)))).message).toContain('another job'),
  );

  it('after too much stdout is a failure', async () => {
    const error = await errorOf(printed(success(), { stdoutProblem: 'too_long' }));
    expect(error).toMatchObject({ code: 'SCRIPT_FAILED', message: expect.stringContaining('16 MiB') });
  });
});

describe('the copy in the lake', () => {
  let lake: Lake;
  let remove: () => Promise<void>;
  beforeEach(async () => ({ lake, remove } = await givenLake()));
  afterEach(() => remove());
  const store = (document: unknown) =>
    lake.putIfAbsent(runKeys('mysql', job.run_id).result(1), Buffer.from(JSON.stringify(document)));

  it.each([givenOutcome(), printed({ half: 1 }, { stdoutProblem: 'cut' })])(
    'counts where stdout was lost (%#)',
    async (outcome) => {
      await store(success());
      expect(await read(outcome, job, lake)).toEqual(success());
    },
  );

  it('does not rescue garbage on stdout, nor too much of it', async () => {
    await store(success());
    expect((await errorOf(printed('garbage'), job, lake)).code).toBe('SCRIPT_FAILED');
    expect((await errorOf(givenOutcome({ stdoutProblem: 'too_long' }), job, lake)).code).toBe('SCRIPT_FAILED');
  });

  it('of another attempt counts for nothing', async () => {
    await store(success({ nonce: 'stale' }));
    expect((await errorOf(givenOutcome(), job, lake)).message).toContain('another job');
  });

  it('must be what stdout says', async () => {
    await store(success({ duration_ms: 2 } satisfies Partial<ScriptOutput>));
    expect((await errorOf(printed(success()), job, lake)).message).toContain('not the one in the lake');
  });

  it('is not read where it is larger than a result may be', async () => {
    await store('x'.repeat(16 * 1024 * 1024));
    expect((await errorOf(printed(success()), job, lake)).message).toContain('over 16 MiB');
  });

  it('agrees with stdout whatever the order of its keys', async () => {
    await store(Object.fromEntries(Object.entries(success()).reverse()));
    expect(await read(printed(success()), job, lake)).toEqual(success());
  });
});
