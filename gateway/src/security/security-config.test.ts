import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, parseConfig } from '../config';

const BUCKET = { AWS_BUCKET_NAME: 'bucket' };
const KEY = `nightly:${'ab'.repeat(32)}:*`;
const JWT = { JWT_JWKS_URL: 'https://id.example/keys', JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'ingesta' };

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    parseConfig({ ...BUCKET, ...env });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

it('asks nobody who they are on one’s own machine, and limits nobody', () => {
  expect(parseConfig(BUCKET)).toMatchObject({
    apiKeys: [],
    jwt: null,
    rateLimit: 0,
    rateLimitAddress: 0,
    trustProxy: 0,
  });
});

it('does not start in production without authentication', () => {
  expect(problemsOf({ ENVIRONMENT: 'production' })).toEqual([expect.stringContaining('API_KEYS')]);
  expect(problemsOf({ ENVIRONMENT: 'production', API_KEYS: KEY })).toEqual([]);
  expect(problemsOf({ ENVIRONMENT: 'production', ...JWT })).toEqual([]);
});

it('limits where it knows who asks', () => {
  expect(parseConfig({ ...BUCKET, API_KEYS: KEY })).toMatchObject({ rateLimit: 1200, rateLimitAddress: 3000 });
  expect(parseConfig({ ...BUCKET, API_KEYS: KEY, RATE_LIMIT: '0' })).toMatchObject({ rateLimit: 0 });
});

it('reads keys from a file too, one a line, with comments', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingesta-keys-'));
  try {
    const file = join(folder, 'keys');
    writeFileSync(file, `# of the night\n${KEY}\n\n  # of people\nana:${'cd'.repeat(32)}:read\n`);
    const { apiKeys } = parseConfig({ ...BUCKET, API_KEYS_FILE: file });
    expect(apiKeys.map(({ name }) => name)).toEqual(['nightly', 'ana']);
    expect(problemsOf({ API_KEYS_FILE: join(folder, 'absent') })).toEqual([expect.stringContaining('API_KEYS_FILE')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it.each([
  [{ JWT_ISSUER: 'https://id.example' }, 'JWT_JWKS_URL is not set'],
  [{ ...JWT, JWT_AUDIENCE: '' }, 'JWT_AUDIENCE is not set'],
  [{ ...JWT, JWT_JWKS_URL: 'http://id.example/keys' }, 'https'],
  [{ ...JWT, JWT_ALGORITHMS: 'RS256,none' }, 'none'],
  [{ ...JWT, JWT_ALGORITHMS: 'HS256' }, 'HS256'],
  [{ OPEN_ROUTES: 'health,runs' }, 'runs'],
  [{ TRUST_PROXY: 'true' }, 'TRUST_PROXY'],
  [{ TRUST_PROXY: '10.0.0.0/33' }, 'TRUST_PROXY'],
  [{ RATE_LIMIT: 'many' }, 'RATE_LIMIT'],
])('refuses %j', (env, problem) => {
  expect(problemsOf(env as Record<string, string>).join()).toContain(problem);
});

it.each([
  ['2', 2],
  ['loopback, 10.0.0.0/8', ['loopback', '10.0.0.0/8']],
  ['fd00::/8', ['fd00::/8']],
])('takes TRUST_PROXY=%s', (setting, expected) => {
  expect(parseConfig({ ...BUCKET, TRUST_PROXY: setting }).trustProxy).toEqual(expected);
});
