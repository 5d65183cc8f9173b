import { ApiError } from '../errors';
import { type Principal, parseGrant } from './principal';
import { unauthenticated } from './unauthenticated';

/** Whose tokens are taken, and how they must be signed. */
export interface JwtSettings {
  jwksUrl: string;
  issuer: string;
  audience: string;
  algorithms: readonly string[];
}

/** Signatures only an issuer can make: no shared secrets, and never `none`. */
export const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
];

/** How far clocks may be apart, in seconds. */
const TOLERANCE_S = 5;
const JWKS_MS = 5_000;
/** Failures of the issuer, not of the token. */
const UNREACHABLE = ['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'];

type Jose = typeof import('jose');

/** Checks tokens against the issuer's published keys. The library comes with the first token. */
export class JwtVerifier {
  #ready: Promise<{ jose: Jose; keys: ReturnType<Jose['createRemoteJWKSet']> }> | undefined;

  constructor(private readonly settings: JwtSettings) {}

  /** Throws `UNAUTHENTICATED`, or `AUTH_UNAVAILABLE` where the issuer's keys cannot be read. */
  async verify(token: string): Promise<Principal> {
    const { issuer, audience, algorithms } = this.settings;
    this.#ready ??= this.#load();
    const { jose, keys } = await this.#ready;
    try {
      const { payload } = await jose.jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ['exp', 'iss', 'aud', 'sub'],
        clockTolerance: TOLERANCE_S,
      });
      return { name: `jwt:${payload.sub}`, grants: grantsOf(payload) };
    } catch (error) {
      throw refusalOf(error);
    }
  }

  async #load() {
    const jose = await import('jose');
    return { jose, keys: jose.createRemoteJWKSet(new URL(this.settings.jwksUrl), { timeoutDuration: JWKS_MS }) };
  }
}

/** Scopes like `ingesta:run@mysql`; others are somebody else's. */
function grantsOf({ scope, scp }: Record<string, unknown>): Principal['grants'] {
  const words = [scope, scp].flatMap((claim) => (typeof claim === 'string' ? claim.split(' ') : claim)).flat();
  return words.flatMap((word) => {
    const own = typeof word === 'string' ? /^ingesta:(.+)$/.exec(word)?.[1] : undefined;
    return (own === undefined ? null : parseGrant(own)) ?? [];
  });
}

function refusalOf(error: unknown): ApiError {
  const { code, message, claim } = error as { code?: string; message: string; claim?: string };
  if (code === undefined || UNREACHABLE.includes(code)) {
    return new ApiError('AUTH_UNAVAILABLE', 'The keys of the token’s issuer cannot be read', { cause: error });
  }
  if (code === 'ERR_JWT_EXPIRED') return unauthenticated('The token has expired');
  if (claim !== undefined) return unauthenticated(`The token is not for this gateway: ${message}`);
  return unauthenticated('The token is not valid');
}
