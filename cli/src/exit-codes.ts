/** How `ingesta` ends (BSD sysexits), so that cron and scripts can tell without reading. Where a script's own code fits, it is that. */
export const EXIT = {
  /** Everything that was asked for is done. */
  OK: 0,
  /** Wrong arguments, or a request that the gateway refuses as malformed. */
  USAGE: 64,
  /** No such source, table or run. */
  NOT_FOUND: 66,
  /** The gateway, the database, or what runs the scripts cannot be reached. */
  UNAVAILABLE: 69,
  /** The script failed, or something is broken. */
  INTERNAL: 70,
  /** The bucket refuses or cannot be reached. */
  LAKE: 73,
  /** Nothing was published, and trying again may help. */
  TEMPORARY: 75,
  /** The key is missing, wrong or not allowed to, or the database refused its user. */
  DENIED: 77,
  /** A source, or this client, lacks settings. */
  CONFIG: 78,
  /** Ctrl-C and SIGTERM; a run that was followed goes on. */
  INTERRUPTED: 130,
  TERMINATED: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const OF_ERROR: Readonly<Record<string, ExitCode>> = {
  INVALID_REQUEST: EXIT.USAGE,
  PAYLOAD_TOO_LARGE: EXIT.USAGE,
  IDEMPOTENCY_MISMATCH: EXIT.USAGE,
  NOT_FOUND: EXIT.NOT_FOUND,
  UNKNOWN_SOURCE: EXIT.NOT_FOUND,
  RUN_NOT_FOUND: EXIT.NOT_FOUND,
  TABLE_NOT_FOUND: EXIT.NOT_FOUND,
  SOURCE_UNAVAILABLE: EXIT.UNAVAILABLE,
  IMAGE_NOT_FOUND: EXIT.UNAVAILABLE,
  RUNNER_UNAVAILABLE: EXIT.UNAVAILABLE,
  AUTH_UNAVAILABLE: EXIT.UNAVAILABLE,
  LAKE_UNAVAILABLE: EXIT.LAKE,
  LAKE_DENIED: EXIT.LAKE,
  RUN_IN_PROGRESS: EXIT.TEMPORARY,
  RUN_CANCELLED: EXIT.TEMPORARY,
  RUN_TIMEOUT: EXIT.TEMPORARY,
  RATE_LIMITED: EXIT.TEMPORARY,
  TOO_MANY_RUNS: EXIT.TEMPORARY,
  LEASE_LOST: EXIT.TEMPORARY,
  UNAUTHENTICATED: EXIT.DENIED,
  FORBIDDEN: EXIT.DENIED,
  SOURCE_AUTH: EXIT.DENIED,
  SOURCE_CONFIG: EXIT.CONFIG,
};

/** For an error code of the gateway; one that this client does not know is `INTERNAL`. */
export const exitCodeOf = (errorCode: string): ExitCode => OF_ERROR[errorCode] ?? EXIT.INTERNAL;
