import { LakeError, ScriptError } from '@ingesta/kit';
import { ApiError } from '../errors';

const isTold = (error: unknown) =>
  error instanceof ApiError || error instanceof LakeError || error instanceof ScriptError;

/** What lies below a failure's own message, for the log; nothing if that message says it all. */
export function deeperCause(error: unknown): { cause?: string } {
  if (!isTold(error)) return { cause: causeOf(error) };
  const { cause } = error as Error;
  return cause === undefined ? {} : { cause: causeOf(cause) };
}

/** An error with its causes, for the log. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = isTold(error) ? error.message : (error.stack ?? error.message);
  return error.cause === undefined ? text : `${text} | caused by ${causeOf(error.cause)}`;
}
