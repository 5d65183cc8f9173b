import { LakeError, type LakeFailure, ScriptError } from '@ingesta/kit';
import { ApiError, type ErrorCode, isErrorCode } from './errors';

const LAKE_CODES: Record<LakeFailure, ErrorCode> = {
  unavailable: 'LAKE_UNAVAILABLE',
  denied: 'LAKE_DENIED',
  precondition: 'LEASE_LOST',
  aborted: 'RUN_CANCELLED',
};

/** Any failure as the one that is told: with its code, its database and its run. The cause stays inside. */
export function asApiError(error: unknown, database?: string, runId?: string): ApiError {
  if (error instanceof ApiError) {
    if (error.runId !== undefined || runId === undefined) return error;
    const { code, message, hint, headers, cause } = error;
    return new ApiError(code, message, { hint, headers, cause, database: error.database ?? database, runId });
  }
  if (error instanceof LakeError) {
    return new ApiError(LAKE_CODES[error.kind], error.message, { hint: error.hint, database, runId, cause: error });
  }
  if (error instanceof ScriptError && isErrorCode(error.code)) {
    return new ApiError(error.code, error.message, { hint: error.hint, database, runId, cause: error });
  }
  return new ApiError('INTERNAL', 'Something unforeseen went wrong', { database, runId, cause: error });
}
