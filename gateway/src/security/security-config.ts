import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { loopbackVariables } from '@ingesta/kit';
import { type ApiKey, parseApiKeys } from './api-keys';
import { JWT_ALGORITHMS, type JwtSettings } from './jwt-verifier';

type Env = Readonly<Record<string, string | undefined>>;

/** Groups of routes that may be open to everybody. */
export const OPEN_GROUPS = ['health', 'docs', 'metrics'] as const;
export type OpenGroup = (typeof OPEN_GROUPS)[number];

/** Who may come in, and how often. */
export interface SecurityConfig {
  readonly apiKeys: readonly ApiKey[];
  /** Tokens of one issuer; null: none are taken. */
  readonly jwt: JwtSettings | null;
  readonly openRoutes: readonly OpenGroup[];
  /** Requests per minute of one principal, and of one address; 0 for no limit. */
  readonly rateLimit: number;
  readonly rateLimitAddress: number;
  /** Failed authentications of one address per minute, before it is sent away unheard. */
  readonly authFailures: number;
  /** Proxies whose X-Forwarded-For counts: how many, or which. */
  readonly trustProxy: number | readonly string[];
}

/** Whether anybody has to say who they are. */
export const needsAuthentication = ({ apiKeys, jwt }: Pick<SecurityConfig, 'apiKeys' | 'jwt'>): boolean =>
  apiKeys.length > 0 || jwt !== null;

/** Without any setting: everybody may do everything, as on one's own machine. */
export const OPEN: SecurityConfig = {
  apiKeys: [],
  jwt: null,
  openRoutes: [],
  rateLimit: 0,
  rateLimitAddress: 0,
  authFailures: 30,
  trustProxy: 0,
};

interface Readers {
  text: (name: string, fallback: string) => string;
  int: (name: string, fallback: number, min: number, max: number) => number;
}

/** Reads the settings in the order of `.env.example`. */
export function parseSecurity(env: Env, { text, int }: Readers, problems: string[]): SecurityConfig {
  const apiKeys = parseApiKeys(`${text('API_KEYS', '')}\n${fileText(env.API_KEYS_FILE, problems)}`, problems);
  const jwt = parseJwt(text, problems);
  const isGuarded = needsAuthentication({ apiKeys, jwt });
  if (env.ENVIRONMENT === 'production' && !isGuarded && problems.length === 0) {
    problems.push(
      'ENVIRONMENT=production does not start without authentication: set API_KEYS (npx ingesta keys new) or JWT_JWKS_URL',
    );
  }
  return {
    apiKeys,
    jwt,
    openRoutes: parseOpenRoutes(text('OPEN_ROUTES', ''), problems),
    rateLimit: int('RATE_LIMIT', isGuarded ? 1200 : 0, 0, 1_000_000),
    rateLimitAddress: int('RATE_LIMIT_ADDRESS', isGuarded ? 3000 : 0, 0, 1_000_000),
    authFailures: int('AUTH_FAILURES', OPEN.authFailures, 1, 10_000),
    trustProxy: parseTrustProxy(text('TRUST_PROXY', ''), problems),
  };
}

function fileText(path: string | undefined, problems: string[]): string {
  if (!path) return '';
  try {
    return readFileSync(path, 'utf8').replace(/^\s*#.*$/gm, '');
  } catch (error) {
    problems.push(`API_KEYS_FILE cannot be read: ${(error as Error).message}`);
    return '';
  }
}

function parseJwt(text: Readers['text'], problems: string[]): JwtSettings | null {
  const jwksUrl = text('JWT_JWKS_URL', '');
  const issuer = text('JWT_ISSUER', '');
  const audience = text('JWT_AUDIENCE', '');
  const algorithms = text('JWT_ALGORITHMS', 'RS256,ES256')
    .split(',')
    .map((name) => name.trim());
  if (!jwksUrl && !issuer && !audience) return null;
  const missing = Object.entries({ JWT_JWKS_URL: jwksUrl, JWT_ISSUER: issuer, JWT_AUDIENCE: audience });
  for (const [name, value] of missing)
    if (!value) problems.push(`${name} is not set: tokens need all three JWT_ settings`);
  if (jwksUrl && !isSafeUrl(jwksUrl)) problems.push(`JWT_JWKS_URL=${jwksUrl} must be an https URL`);
  for (const name of algorithms) {
    if (!JWT_ALGORITHMS.includes(name))
      problems.push(`JWT_ALGORITHMS: ${name} is none of ${JWT_ALGORITHMS.join(', ')}`);
  }
  return { jwksUrl, issuer, audience, algorithms };
}

/** Whoever can change the keys on their way can make tokens. */
function isSafeUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return (
    url !== null &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && loopbackVariables(['url'], { url: text }).length > 0))
  );
}

function parseOpenRoutes(setting: string, problems: string[]): OpenGroup[] {
  return setting.split(',').flatMap((word) => {
    const name = word.trim();
    const group = OPEN_GROUPS.find((known) => known === name);
    if (name !== '' && group === undefined) problems.push(`OPEN_ROUTES: ${name} is none of ${OPEN_GROUPS.join(', ')}`);
    return group ?? [];
  });
}

const NAMED_PROXIES = ['loopback', 'linklocal', 'uniquelocal'];

/** A number of hops, or addresses and networks. `true` would let every caller choose its own address. */
function parseTrustProxy(setting: string, problems: string[]): SecurityConfig['trustProxy'] {
  if (/^\d{1,2}$/.test(setting)) return Number(setting);
  const proxies = setting.split(',').flatMap((word) => word.trim() || []);
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    const most = isIP(address) === 4 ? 32 : 128;
    const isNetwork = isIP(address) !== 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
    if (!isNetwork && !NAMED_PROXIES.includes(proxy)) {
      problems.push(
        `TRUST_PROXY: ${proxy} must be a number of proxies, an address, a network or one of ${NAMED_PROXIES.join(', ')}`,
      );
    }
  }
  return proxies.length === 0 ? 0 : proxies;
}
