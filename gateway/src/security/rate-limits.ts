import type { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { ApiError } from '../errors';
import { addressOf } from './failed-attempts';
import { principalOf, VISITOR } from './principal';
import { isAlwaysOpen } from './route-groups';

const WINDOW_MS = 60_000;

/** At most so many requests a minute of one address; the routes of orchestrators do not count. */
export const limitAddresses = (limit: number): RequestHandler =>
  limiter('address', limit, {
    skip: (request) => isAlwaysOpen(request.path),
    keyGenerator: addressOf,
  });

/** At most so many requests a minute of one principal, whatever its addresses. */
export const limitPrincipals = (limit: number): RequestHandler =>
  limiter('principal', limit, {
    skip: (request) => principalOf(request) === VISITOR,
    keyGenerator: (request) => principalOf(request).name,
  });

type Options = Pick<NonNullable<Parameters<typeof rateLimit>[0]>, 'skip' | 'keyGenerator'>;

function limiter(identifier: string, limit: number, options: Options): RequestHandler {
  if (limit === 0) return (_request, _response, next) => next();
  return rateLimit({
    ...options,
    windowMs: WINDOW_MS,
    limit,
    identifier,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // Its advice is for servers without a setting for proxies.
    validate: false,
    // `Retry-After` is set already.
    handler: (_request, _response, next) =>
      next(new ApiError('RATE_LIMITED', `Too many requests of one ${identifier}`)),
  });
}
