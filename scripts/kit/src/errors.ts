import { EXIT, type ExitCode } from './contract/exit-codes';

/**
 * A failure whose meaning a script knows. `runScript` prints it as the failure document and ends with its exit code;
 * everything else that is thrown becomes `INTERNAL` (70).
 */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
  constructor(
    readonly exitCode: ExitCode,
    /** An error code of the contract, e.g. `SOURCE_AUTH`. */
    readonly code: string,
    message: string,
    /** What to do next. */
    readonly hint: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** A variable is missing or malformed. */
export const configError = (message: string, hint: string) =>
  new ScriptError(EXIT.CONFIG, 'SOURCE_CONFIG', message, hint);
/** The database cannot be reached, or was lost mid-way. */
export const unavailable = (message: string, hint: string, cause?: unknown) =>
  new ScriptError(EXIT.UNAVAILABLE, 'SOURCE_UNAVAILABLE', message, hint, { cause });
/** The database refused the user. */
export const refused = (message: string, hint: string, cause?: unknown) =>
  new ScriptError(EXIT.AUTH, 'SOURCE_AUTH', message, hint, { cause });
/** Anything else the source failed at: a query the server rejected, a table that vanished. */
export const failed = (message: string, hint: string, cause?: unknown) =>
  new ScriptError(EXIT.INTERNAL, 'SCRIPT_FAILED', message, hint, { cause });
