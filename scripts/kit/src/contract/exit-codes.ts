/**
 * How a script's process ends (BSD sysexits where one fits). The gateway reads the code first and the JSON second;
 * only `UNAVAILABLE` while connecting and `TEMPORARY` are worth another attempt.
 */
export const EXIT = {
  /** The result on stdout is complete. */
  OK: 0,
  /** EX_CONFIG-like: an environment variable is missing or malformed, or the host cannot be meant. */
  CONFIG: 64,
  /** A table that was asked for does not exist; nothing was read. */
  TABLE_NOT_FOUND: 66,
  /** The database is unreachable, or the connection was lost. */
  UNAVAILABLE: 69,
  /** A defect or an unforeseen failure of the script. */
  INTERNAL: 70,
  /** The lake refuses or cannot be reached. */
  LAKE: 73,
  /** Try again later. */
  TEMPORARY: 75,
  /** The database refused the user. */
  AUTH: 77,
  /** Stopped by SIGTERM or past its deadline; uploads were aborted. */
  STOPPED: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
