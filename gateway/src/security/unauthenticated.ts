import { ApiError } from '../errors';

const REALM = 'Bearer realm="ingesta"';

/** What a request without valid credentials gets. `problem` is what was wrong with those it had, if it had any. */
export function unauthenticated(problem: string | null): ApiError {
  const challenge = problem === null ? REALM : `${REALM}, error="invalid_token"`;
  return new ApiError('UNAUTHENTICATED', problem ?? 'This route needs a key or a token', {
    headers: { 'WWW-Authenticate': challenge },
  });
}
