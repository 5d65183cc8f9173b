/**
 * The one table of error codes: HTTP status, and the hint that stands when the thrower knows nothing better.
 * Statuses are part of the contract.
 */
export const ERRORS = {
  INVALID_REQUEST: { status: 400, hint: 'See /docs for what this route takes.' },
  UNAUTHENTICATED: {
    status: 401,
    hint: 'Send `Authorization: Bearer <key>`. `npx ingesta keys new` makes a key for API_KEYS.',
  },
  FORBIDDEN: { status: 403, hint: 'Use a key or token that is granted this; API_KEYS says what each may.' },
  PAYLOAD_TOO_LARGE: { status: 413, hint: 'A request body of this API is never larger than 100 KB.' },
  NOT_FOUND: { status: 404, hint: 'See /docs for the routes there are.' },
  UNKNOWN_SOURCE: {
    status: 404,
    hint: 'GET /api/ingesta lists the sources; a new folder under scripts/ makes a new one.',
  },
  RUN_NOT_FOUND: { status: 404, hint: 'GET /api/ingesta/runs lists the runs there are.' },
  RUN_IN_PROGRESS: { status: 409, hint: 'Wait for the running ingestion of this database to end.' },
  RUN_CANCELLED: { status: 409, hint: 'Nothing was published. POST again to start over.' },
  TABLE_NOT_FOUND: { status: 422, hint: 'Nothing was read. Correct "tables" and POST again.' },
  SOURCE_CONFIG: { status: 422, hint: 'Set the variables of this source in .env and restart the gateway.' },
  IDEMPOTENCY_MISMATCH: {
    status: 422,
    hint: 'Send the request that this Idempotency-Key was used for, or another key.',
  },
  RESULT_TOO_LARGE: { status: 422, hint: 'Narrow the parameters, or have the SQL file put a LIMIT on its rows.' },
  TOO_MANY_RUNS: { status: 429, hint: 'Try again after Retry-After, or raise MAX_CONCURRENT_RUNS or MAX_QUEUED_RUNS.' },
  RATE_LIMITED: { status: 429, hint: 'Try again after the seconds that Retry-After names.' },
  SOURCE_AUTH: { status: 502, hint: 'Check user and password of this source, and that the user may read its tables.' },
  SOURCE_UNAVAILABLE: {
    status: 502,
    hint: 'Check that the database runs and can be reached from the script container.',
  },
  SCRIPT_FAILED: { status: 502, hint: 'See the gateway log under this run_id for what the script said.' },
  LAKE_UNAVAILABLE: { status: 502, hint: 'Check the bucket endpoint and the network, then POST again.' },
  LAKE_DENIED: { status: 502, hint: 'Needed: s3:PutObject, s3:GetObject, s3:ListBucket on the bucket.' },
  LEASE_LOST: { status: 503, hint: 'Nothing was published. POST again.' },
  IMAGE_NOT_FOUND: { status: 503, hint: 'Build it with ./build-images.sh' },
  RUNNER_UNAVAILABLE: {
    status: 503,
    hint: 'Is the Docker daemon running, its socket mounted, and this user allowed to use it (DOCKER_GID)? RUNNER=process needs none.',
  },
  AUTH_UNAVAILABLE: { status: 503, hint: 'Check JWT_JWKS_URL, and the network to it from the gateway.' },
  DATA_NOT_AVAILABLE: { status: 503, hint: 'Ingest the named tables first.' },
  RUN_TIMEOUT: { status: 504, hint: 'Nothing was published. Raise RUN_TIMEOUT, or POST fewer tables.' },
  QUERY_TIMEOUT: { status: 504, hint: 'The query was ended. Raise QUERY_TIMEOUT, or narrow the parameters.' },
  INTERNAL: { status: 500, hint: 'A defect of Ingesta: see the gateway log under this run_id, and please report it.' },
} as const satisfies Record<string, { status: number; hint: string }>;

export type ErrorCode = keyof typeof ERRORS;

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

export interface ApiErrorDetails {
  /** What to do next; the table's hint if absent. */
  hint?: string;
  database?: string;
  runId?: string;
  headers?: Readonly<Record<string, string>>;
  cause?: unknown;
}

/** A failure with a stable code. Thrown anywhere, told once, by the last middleware. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly hint: string;
  readonly database: string | undefined;
  readonly runId: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ApiErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.hint = details.hint ?? ERRORS[code].hint;
    this.database = details.database;
    this.runId = details.runId;
    this.headers = details.headers ?? {};
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** Body of every error answer. */
export interface ErrorBody {
  status: 'error';
  database: string | null;
  error: { code: string; message: string; hint: string; run_id: string | null };
}

export const errorBody = (error: ApiError): ErrorBody => ({
  status: 'error',
  database: error.database ?? null,
  error: { code: error.code, message: error.message, hint: error.hint, run_id: error.runId ?? null },
});
