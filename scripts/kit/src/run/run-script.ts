import { EXIT, type ExitCode } from '../contract/exit-codes';
import type { Job } from '../contract/job';
import type { ScriptOutput } from '../contract/result';
import { type SourceDescription, sourceDescriptionSchema } from '../contract/source-description';
import { failed, ScriptError } from '../errors';
import type { Source } from '../source';
import { asScriptError } from './as-script-error';
import { leaveAnswer } from './leave-answer';
import { answersInLake, readJob } from './read-job';
import { type Report, redactor, reporter } from './reporter';
import { runJob } from './run-job';
import { secretsOf } from './secrets';

/** The gateway leaves 5 s between SIGTERM and SIGKILL; uploads are aborted within this time or not at all. */
const STOP_GRACE_MS = 4_000;
/** `setTimeout` takes no more than 2^31-1 ms; a longer deadline is the gateway's to keep. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Errors may name each other as their causes, in a circle. */
const MAX_CAUSES = 8;

/**
 * The whole life of a script's process: flags, job, export, one JSON document on stdout, events on stderr, exit code.
 * `description` is the folder's `source.json`.
 */
export async function runScript(source: Source, description: unknown): Promise<void> {
  const described = sourceDescriptionSchema.parse(description);
  // Whoever reads may be gone; then the exit code and the lake's copy of the result still tell how it went.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  if (process.argv.includes('--describe')) return print(described);

  const stop = new AbortController();
  let job: Job | null = null;
  let exit: ExitCode = EXIT.OK;
  let redact = redactor(secretsOf(described, process.env));
  const report = reporter(process.stderr, (text) => redact(text));
  const run = async (): Promise<ScriptOutput> => {
    job = await readJob(process.env, process.argv.slice(2), process.stdin);
    redact = redactor([...secretsOf(described, process.env), ...secretsOf(described, job.env)]);
    stopAtDeadline(stop, job.deadline);
    return runJob({ source, description: described, job, report, redact, signal: stop.signal });
  };
  const answer = async (document: ScriptOutput) => {
    if (job !== null && answersInLake(process.env)) await leaveAnswer(job, document, report, stop.signal);
    await print(document);
  };
  try {
    reportWarnings(report);
    stopOnSignals(stop);
    stopOnDefects(stop);
    await answer(await Promise.race([run(), overdue(stop.signal)]));
  } catch (error) {
    // What made us stop explains the failures it caused.
    const cause = stop.signal.aborted ? stop.signal.reason : error;
    const failure = asScriptError(cause, described, job, process.env);
    exit = failure.exitCode;
    report({ event: 'log', level: 'error', message: chainOf(error) });
    // Set by `run`, which the compiler does not follow.
    const { database, run_id } = (job as Job | null) ?? { database: null, run_id: null };
    await answer({
      status: 'error',
      database,
      error: { code: failure.code, message: redact(failure.message), hint: redact(failure.hint), run_id },
    });
  }
  // Sockets that a driver left open must not hold the container.
  process.exit(exit);
}

/** Node would print its warnings (deprecations in drivers, mostly) as plain text between our events. */
function reportWarnings(report: Report): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => report({ event: 'log', level: 'warn', message: `${name}: ${message}` }));
}

/** Every time, not once: a second signal must not cut the first one's clean end short. */
function stopOnSignals(stop: AbortController): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      const hint = 'Nothing was published. Run it again when you want.';
      stop.abort(new ScriptError(EXIT.STOPPED, 'RUN_CANCELLED', `Stopped by ${signal}`, hint));
    });
  }
}

/** What nobody awaited must not end the process with a code and an output of Node's own. */
function stopOnDefects(stop: AbortController): void {
  // Also told of rejections that nobody handles.
  process.on('uncaughtException', (error) => stop.abort(error));
  process.on('beforeExit', () => stop.abort(failed('The script came to a standstill', 'Please report it.')));
}

function stopAtDeadline(stop: AbortController, deadline: string | null): void {
  if (deadline === null) return;
  const left = Math.max(0, Date.parse(deadline) - Date.now());
  if (left > MAX_TIMER_MS) return;
  setTimeout(() => {
    const hint = 'Nothing was published. Raise RUN_TIMEOUT, or take fewer tables per run.';
    stop.abort(new ScriptError(EXIT.STOPPED, 'RUN_TIMEOUT', `The run's deadline (${deadline}) passed`, hint));
  }, left).unref();
}

/** Rejects with what `signal` was aborted for, when those who heard of it have had their time to clean up. */
function overdue(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => setTimeout(() => reject(signal.reason), STOP_GRACE_MS));
  });
}

/** An error with its causes, for the log. */
function chainOf(error: unknown): string {
  const texts: string[] = [];
  let cause = error;
  do {
    texts.push(textOf(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  } while (cause !== undefined && texts.length < MAX_CAUSES);
  return texts.join(' | caused by ');
}

function textOf(error: unknown): string {
  if (error instanceof ScriptError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Resolves also where nobody reads any more. */
function print(document: ScriptOutput | SourceDescription): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(`${JSON.stringify(document)}\n`, () => resolve());
  });
}
