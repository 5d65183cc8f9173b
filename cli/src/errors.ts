/** The arguments or settings make no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Answer of the gateway that is no success: its code, and what to do next. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  constructor(
    readonly status: number,
    readonly error: ErrorInfo,
    readonly database: string | null,
    /** What it asks us to wait before we come again, in ms; null if it does not. */
    readonly retryAfterMs: number | null,
  ) {
    super(error.message);
  }
}

export interface ErrorInfo {
  code: string;
  message: string;
  hint: string;
  run_id: string | null;
}

/** Waiting for a run was long enough. The run goes on. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/** No answer that the gateway itself gave: it, or the network in between, is not there. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  constructor(
    message: string,
    /** Whether it may be there in a while: a wrong name or certificate will not mend itself. */
    readonly isTemporary: boolean,
    /** Whether the request cannot have reached it. */
    readonly isUnsent: boolean,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}
