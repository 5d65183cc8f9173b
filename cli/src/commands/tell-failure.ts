import type { Context } from '../context';
import { GatewayError, TimedOut, Unreachable } from '../errors';
import { EXIT, type ExitCode, exitCodeOf } from '../exit-codes';
import { describeError } from './describe-outcome';

/** Tells on stderr why `subject` came to nothing; null where the failure is none of those that happen. */
export function tellFailure({ say }: Pick<Context, 'say'>, subject: string, error: unknown): ExitCode | null {
  if (error instanceof GatewayError) {
    for (const line of describeError(subject, error.error)) say(line);
    return exitCodeOf(error.error.code);
  }
  if (!(error instanceof Unreachable || error instanceof TimedOut)) return null;
  say(`${subject}: ${error.message}`);
  return error instanceof Unreachable ? EXIT.UNAVAILABLE : EXIT.TEMPORARY;
}
