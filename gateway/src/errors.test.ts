import { ApiError, ERRORS, errorBody, isErrorCode } from './errors';

describe('ERRORS', () => {
  it('has the codes and statuses of the contract', () => {
    const statuses = Object.fromEntries(Object.entries(ERRORS).map(([code, { status }]) => [code, status]));
    expect(statuses).toEqual({
      INVALID_REQUEST: 400,
      UNAUTHENTICATED: 401,
      FORBIDDEN: 403,
      PAYLOAD_TOO_LARGE: 413,
      NOT_FOUND: 404,
      UNKNOWN_SOURCE: 404,
      RUN_NOT_FOUND: 404,
      RUN_IN_PROGRESS: 409,
      RUN_CANCELLED: 409,
      TABLE_NOT_FOUND: 422,
      SOURCE_CONFIG: 422,
      RESULT_TOO_LARGE: 422,
      RATE_LIMITED: 429,
      IDEMPOTENCY_MISMATCH: 422,
      TOO_MANY_RUNS: 429,
      SOURCE_AUTH: 502,
      SOURCE_UNAVAILABLE: 502,
      SCRIPT_FAILED: 502,
      LAKE_UNAVAILABLE: 502,
      LAKE_DENIED: 502,
      LEASE_LOST: 503,
      IMAGE_NOT_FOUND: 503,
      RUNNER_UNAVAILABLE: 503,
      AUTH_UNAVAILABLE: 503,
      DATA_NOT_AVAILABLE: 503,
      RUN_TIMEOUT: 504,
      QUERY_TIMEOUT: 504,
      INTERNAL: 500,
    });
  });

  it('has a hint for each', () => {
    for (const { hint } of Object.values(ERRORS)) expect(hint).not.toBe('');
  });

  it('knows its own codes only', () => {
    expect(isErrorCode('INTERNAL')).toBe(true);
    expect(isErrorCode('toString')).toBe(false);
  });
});

describe('errorBody', () => {
  it('tells code, message, hint and run, never the cause', () => {
    const error = new ApiError('INTERNAL', 'no', { database: 'mysql', runId: 'r', cause: new Error('canary') });
    expect(errorBody(error)).toEqual({
      status: 'error',
      database: 'mysql',
      error: { code: 'INTERNAL', message: 'no', hint: ERRORS.INTERNAL.hint, run_id: 'r' },
    });
    expect(errorBody(new ApiError('NOT_FOUND', 'no', { hint: 'mine' }))).toMatchObject({
      database: null,
      error: { hint: 'mine', run_id: null },
    });
  });
});
