import type { Context } from '../context';
import { TimedOut, UsageError } from '../errors';
import { EXIT, type ExitCode, exitCodeOf } from '../exit-codes';
import { followRun, type Outcome } from '../follow-run';
import { Patience } from '../patience';
import { duration } from '../quantities';
import { describeAnswer, describeError } from './describe-outcome';

/** Ends with Ctrl-C, and with `TimedOut` after `--timeout`. */
export function waitSignal({ signal, options }: Context): AbortSignal {
  if (options.timeoutMs === null) return signal;
  const late = new AbortController();
  const message = `Not over after ${duration(options.timeoutMs)}; it goes on`;
  setTimeout(() => late.abort(new TimedOut(message)), options.timeoutMs).unref();
  return AbortSignal.any([signal, late.signal]);
}

export function patienceOf({ options, view, time }: Context, subject: string, signal: AbortSignal): Patience {
  const onTrouble = (message: string, waitMs: number) =>
    view.note(`${subject}: ${message}; trying again in ${duration(waitMs)}`);
  return new Patience(options.retryForMs, signal, onTrouble, time);
}

/** Follows a run to its end and tells it. */
export async function follow(
  context: Context,
  database: string,
  runId: string,
  patience: Patience,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { gateway, view } = context;
  let outcome: Outcome;
  try {
    outcome = await followRun(gateway, runId, patience, signal, {
      onProgress: (event) => view.progress(event),
      onBack: () => view.note(`${database}: the gateway is back`),
    });
  } finally {
    view.ended(database);
  }
  return tell(context, database, outcome);
}

/** The end of a run: the answer on stdout, a failure on stderr; with `--json` either on stdout, as one line. */
export function tell({ options, out, say }: Context, subject: string, outcome: Outcome): ExitCode {
  if (outcome.ok) {
    for (const line of options.json ? [JSON.stringify(outcome.answer)] : describeAnswer(outcome.answer)) out(line);
    return EXIT.OK;
  }
  const { database, error } = outcome;
  if (options.json) out(JSON.stringify({ status: 'error', database, error }));
  else for (const line of describeError(subject, error)) say(line);
  return exitCodeOf(error.code);
}

/** The one name that a command takes. */
export function only(names: readonly string[], what: string): string {
  if (names.length === 1) return names[0]!;
  throw new UsageError(names.length === 0 ? `Name ${what}` : `Name one only: ${what}`);
}
