import type { Request, RequestHandler } from 'express';
import { ApiError } from '../errors';
import type { Log } from '../log';
import { ApiKeys } from './api-keys';
import type { FailedAttempts } from './failed-attempts';
import { JwtVerifier } from './jwt-verifier';
import { ANYBODY, allow, type Principal, setPrincipal, type Verb, VISITOR } from './principal';
import { isDeploymentWide, isOpen } from './route-groups';
import { needsAuthentication, type SecurityConfig } from './security-config';
import { unauthenticated } from './unauthenticated';

/** A JWT has three parts; keys have none of its dots. */
const TOKEN = /^[\w-]+\.[\w-]*\.[\w-]*$/;
/** Longer than any key, and than the tokens of issuers that put groups into them. */
const MAX_CREDENTIAL = 8192;

/**
 * Finds out who asks, and refuses who may not do such a thing on any source. Which source a request is about, its route
 * knows, and asks `allow` about it. Stands before everything that reads the request any further.
 */
export function authenticate(config: SecurityConfig, failures: FailedAttempts, log: Log): RequestHandler {
  const keys = new ApiKeys(config.apiKeys);
  const tokens = config.jwt && new JwtVerifier(config.jwt);
  const isGuarded = needsAuthentication(config);

  const identify = async (credential: string): Promise<Principal> => {
    if (tokens !== null && TOKEN.test(credential)) return tokens.verify(credential);
    const principal = credential.length <= MAX_CREDENTIAL ? keys.find(credential) : null;
    if (principal === null) throw unauthenticated('The key is not valid');
    return principal;
  };

  return async (request, _response, next) => {
    if (!isGuarded) setPrincipal(request, ANYBODY);
    else if (isOpen(request.path, config.openRoutes)) setPrincipal(request, VISITOR);
    else {
      await failures.check(request);
      try {
        const credential = credentialOf(request);
        if (credential === null) throw unauthenticated(null);
        setPrincipal(request, await identify(credential));
      } catch (error) {
        if (error instanceof ApiError && error.code === 'UNAUTHENTICATED') {
          await failures.note(request);
          log.warn('not authenticated', { address: request.ip, path: request.path, cause: error.message });
        }
        throw error;
      }
      allow(request, verbOf(request), isDeploymentWide(request.path) ? '*' : null);
    }
    next();
  };
}

function verbOf({ method }: Request): Verb {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return 'read';
  return method === 'DELETE' ? 'cancel' : 'run';
}

/** `Authorization: Bearer …`, or `X-API-Key: …`. */
function credentialOf(request: Request): string | null {
  const authorization = request.get('Authorization');
  if (authorization === undefined) return request.get('X-API-Key') ?? null;
  const credential = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (credential === undefined) throw unauthenticated('Authorization must be: Bearer, and a key or a token');
  return credential;
}
