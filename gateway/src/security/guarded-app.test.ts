import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Express } from 'express';
import request from 'supertest';
import openApi from '../../generated/openapi.json';
import { AnalyticsService } from '../analytics/analytics-service';
import { Snapshots } from '../analytics/snapshots';
import { createApp } from '../app';
import { parseConfig } from '../config';
import { HealthService } from '../health/health-service';
import { Submissions } from '../ingest/idempotency';
import { RunsService } from '../ingest/runs-service';
import { IngestService } from '../ingest/service';
import { Metrics } from '../metrics/metrics';
import { SourcesService } from '../sources/sources-service';
import { FakeRunner } from '../testing/fake-runner';
import { capturedLog, exportTables, givenLake, givenOutcome } from '../testing/given';

/*
 * Each protection was taken away on its own, and these tests, or those beside them, were seen to fail: source and verb of a grant, the
 * right to every source for what tells of all, the comparison of keys, the limits of principals (and that each has its own), of
 * addresses and of failed attempts, production's refusal, https for the issuer's keys.
 */

const entry = (name: string, grants: string, key = `ing_${name}`) =>
  `${name}:${createHash('sha256').update(key).digest('hex')}:${grants}`;

const KEYS = [
  entry('admin', '*'),
  entry('nightly', 'run@mysql+read@mysql'),
  entry('reader', 'read'),
  entry('stranger', 'read@other'),
  entry('twice', 'read', 'ing_old'),
  entry('twice', 'read', 'ing_new'),
].join(',');

let remove: () => Promise<void>;
let runner: FakeRunner;
let lines: string[];
let build: (env?: Record<string, string>) => Express;

beforeEach(async () => {
  const found = await givenLake();
  ({ remove } = found);
  const lake = async () => found.lake;
  runner = new FakeRunner(async ({ job }) =>
    givenOutcome({ stdout: Buffer.from(JSON.stringify(await exportTables(found.lake, job, { users: 'id\n1\n' }))) }),
  );
  const captured = capturedLog();
  ({ lines } = captured);
  build = (env = {}) => {
    const config = parseConfig({
      ...found.env,
      MYSQL_HOST: 'db.example',
      MYSQL_USER: 'reader',
      API_KEYS: KEYS,
      ...env,
    });
    const ingestion = new IngestService({
      ...{ config, lake, runner, log: captured.log, gateway: 'gateway-1' },
      credentials: async () => ({}),
      secrets: async () => ({}),
      lakeFolder: async () => null,
      datasets: async () => [],
    });
    const snapshots = new Snapshots(lake);
    const table = { database: 'mysql', table: 'users', name: 'mysql_users' };
    const route = {
      ...{ pack: 'p', file: 'p.sql', path: '/mysql/analytics/users', summary: '', description: '', group: 'mysql' },
      ...{ parameters: [], tables: [table], uses: [], statements: [], example: {} },
    };
    const packs = [{ name: 'p', tables: new Map(), routes: [route] }];
    return createApp({
      ingestion,
      submissions: new Submissions({ ingestion, lake, leaseTtlMs: 2000 }),
      runs: new RunsService({ lake, ingestion }),
      sources: new SourcesService({ config, runner, lake, secrets: async () => ({}) }),
      health: new HealthService({ config, runner, lake, snapshots, version: '1.2.3' }),
      analytics: new AnalyticsService({ packs, engine: null as never, snapshots, config }),
      metrics: new Metrics('1.2.3'),
      security: config,
      log: captured.log,
      assets: join(__dirname, '../../dist'),
    });
  };
});
afterEach(() => remove());

const bearer = (name: string) => ({ Authorization: `Bearer ing_${name}` });

/** Every route there is, with something in the place of its parameters. */
const ROUTES = Object.entries(openApi.paths).flatMap(([path, operations]) =>
  Object.keys(operations).map((method) => ({
    method: method as 'get' | 'post' | 'delete',
    path: path.replace('{db}', 'mysql').replace('{run_id}', '01890a5d-ac96-774b-bcce-b302099a8057'),
  })),
);
const OTHERS = ['/docs/', '/redoc', '/openapi.json', '/mysql/analytics/users', '/nothing'].map((path) => ({
  method: 'get' as const,
  path,
}));
const GUARDED = [...ROUTES, ...OTHERS].filter(({ path }) => path !== '/livez' && path !== '/readyz');

it.each(GUARDED)('$method $path is closed to who has no key, and to who has a wrong one', async ({ method, path }) => {
  const app = build();
  const none = await request(app)[method](path);
  expect([none.status, none.body.error?.code]).toEqual([401, 'UNAUTHENTICATED']);
  expect(none.headers['www-authenticate']).toBe('Bearer realm="ingesta"');
  const wrong = await request(app)[method](path).set(bearer('wrong'));
  expect([wrong.status, wrong.headers['www-authenticate']]).toEqual([401, expect.stringContaining('invalid_token')]);
  expect(runner.launched).toEqual([]);
});

it.each(['/LIVEZ', '/livez', '/readyz/'])('%s is open', async (path) => {
  expect((await request(build()).get(path)).status).toBe(200);
});

it('opens the groups of routes that are chosen, and no others', async () => {
  const app = build({ OPEN_ROUTES: 'health,docs' });
  for (const path of ['/', '/health', '/docs/', '/redoc', '/openapi.json']) {
    expect([path, (await request(app).get(path)).status]).toEqual([path, 200]);
  }
  for (const path of ['/metrics', '/api/ingesta', '/api/ingesta/health', '//health', '/health/x']) {
    expect([path, (await request(app).get(path)).status]).toEqual([path, 401]);
  }
  expect((await request(app).get('/docs/../metrics')).text).not.toContain('ingesta_');
});

it('takes a key as a bearer token or in X-API-Key, and two of one name', async () => {
  const app = build();
  for (const headers of [bearer('reader'), { 'X-API-Key': 'ing_reader' }, bearer('old'), bearer('new')]) {
    expect((await request(app).get('/api/ingesta').set(headers)).status).toBe(200);
  }
});

it.each([
  'Basic aW5nX3JlYWRlcg==',
  'Bearer',
  'Bearer ',
  'Bearer a b',
  'ing_reader',
  `Bearer ${'x'.repeat(12_000)}`,
  'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.',
  'Bearer __proto__',
])('refuses Authorization: %s', async (value) => {
  const { status, body } = await request(build()).get('/api/ingesta').set('Authorization', value);
  expect([status, body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
});

it('lets each key do what it is granted, on the sources it is granted for', async () => {
  const app = build();
  const status = async (name: string, method: 'get' | 'post' | 'delete', path: string) =>
    (await request(app)[method](path).set(bearer(name))).status;
  expect(await status('nightly', 'post', '/api/ingesta/mysql')).toBe(200);
  expect(await status('nightly', 'post', '/api/ingesta/other')).toBe(403);
  expect(await status('reader', 'post', '/api/ingesta/mysql')).toBe(403);
  const listed = await request(app).get('/api/ingesta/runs').set(bearer('reader'));
  const run = `/api/ingesta/runs/${listed.body.runs[0].run_id}`;
  for (const path of [run, `${run}/logs`, `${run}/events`, '/api/ingesta/mysql/latest', '/api/ingesta/runs?db=mysql']) {
    expect([path, await status('nightly', 'get', path)]).toEqual([path, 200]);
    expect([path, await status('stranger', 'get', path)]).toEqual([path, 403]);
  }
  expect(await status('stranger', 'get', '/mysql/analytics/users')).toBe(403);
  for (const path of ['/health', '/metrics', '/api/ingesta/health']) {
    expect([path, await status('nightly', 'get', path)]).toEqual([path, 403]);
    expect([path, await status('reader', 'get', path)]).toEqual([path, 200]);
  }
  expect(await status('reader', 'delete', run)).toBe(403);
  expect(await status('nightly', 'delete', run)).toBe(403);
  expect(await status('admin', 'delete', run)).toBe(200);
});

it('shows the sources and runs that the key may read, and no others', async () => {
  const app = build();
  await request(app).post('/api/ingesta/mysql').set(bearer('admin'));
  const seen = async (name: string) => {
    const runs = await request(app).get('/api/ingesta/runs').set(bearer(name));
    const sources = await request(app).get('/api/ingesta').set(bearer(name));
    return [runs.body.runs.length, sources.body.sources.length];
  };
  const [runs, sources] = await seen('reader');
  expect([runs, sources! > 0]).toEqual([1, true]);
  expect(await seen('stranger')).toEqual([0, 0]);
});

it('notes who asked for a run', async () => {
  const app = build();
  const { body } = await request(app).post('/api/ingesta/mysql').set(bearer('nightly'));
  const shown = await request(app).get(`/api/ingesta/runs/${body.run_id}`).set(bearer('reader'));
  expect(shown.body.requested_by).toBe('key:nightly');
  expect(lines.find((line) => line.includes('run started'))).toContain('key:nightly');
  expect(lines.join()).not.toContain('ing_nightly');
});

it('keeps the idempotency keys of one from those of another', async () => {
  const app = build();
  const post = async (name: string) => {
    const answer = request(app).post('/api/ingesta/mysql').set(bearer(name)).set('Idempotency-Key', 'night-1');
    return (await answer).body.run_id;
  };
  const first = await post('nightly');
  expect(await post('nightly')).toBe(first);
  expect(await post('admin')).not.toBe(first);
});

it('sends an address away that keeps failing, even with a right key, and no other address', async () => {
  const app = build({ AUTH_FAILURES: '3', TRUST_PROXY: '1' });
  const from = (address: string, name: string) =>
    request(app).get('/api/ingesta').set(bearer(name)).set('X-Forwarded-For', address);
  for (let i = 0; i < 3; i++) expect((await from('192.0.2.1', 'wrong')).status).toBe(401);
  const limited = await from('192.0.2.1', 'reader');
  expect([limited.status, limited.body.error.code]).toEqual([429, 'RATE_LIMITED']);
  expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
  expect((await from('192.0.2.2', 'reader')).status).toBe(200);
});

it('believes X-Forwarded-For only of proxies it was told of', async () => {
  const app = build({ AUTH_FAILURES: '1' });
  const from = (address: string) => request(app).get('/api/ingesta').set('X-Forwarded-For', address);
  expect((await from('192.0.2.1')).status).toBe(401);
  expect((await from('192.0.2.2')).status).toBe(429);
});

it('limits each principal, and says in the standard headers what is left', async () => {
  const app = build({ RATE_LIMIT: '2', RATE_LIMIT_ADDRESS: '0' });
  const get = (name: string) => request(app).get('/api/ingesta').set(bearer(name));
  const first = await get('reader');
  expect(first.headers['ratelimit-policy']).toMatch(/^"principal"; q=2; w=60/);
  expect(first.headers.ratelimit).toMatch(/^"principal"; r=1; t=\d+/);
  await get('reader');
  const third = await get('reader');
  expect([third.status, third.body.error.code]).toEqual([429, 'RATE_LIMITED']);
  expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
  expect((await get('admin')).status).toBe(200);
});

it('limits each address before it hears who asks, but never what orchestrators ask', async () => {
  const app = build({ RATE_LIMIT_ADDRESS: '1' });
  expect((await request(app).get('/api/ingesta')).status).toBe(401);
  expect((await request(app).get('/api/ingesta').set(bearer('admin'))).status).toBe(429);
  for (let i = 0; i < 3; i++) expect((await request(app).get('/livez')).status).toBe(200);
});

it('reads no body of a caller it does not know', async () => {
  const { status } = await request(build()).post('/api/ingesta/mysql').send('x'.repeat(500_000));
  expect(status).toBe(401);
});

it('sends browsers what keeps other pages out', async () => {
  const app = build({ OPEN_ROUTES: 'docs,health' });
  const { headers } = await request(app).get('/health');
  expect(headers).toMatchObject({
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  expect(headers).not.toHaveProperty('x-powered-by');
  for (const path of ['/docs/', '/redoc']) {
    const policy = (await request(app).get(path)).headers['content-security-policy'];
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain('upgrade-insecure-requests');
  }
});

it('documents how to come in, and what happens to who may not', async () => {
  const { body } = await request(build({ OPEN_ROUTES: 'docs' })).get('/openapi.json');
  expect(Object.keys(body.components.securitySchemes)).toEqual(['bearer', 'apiKey']);
  for (const [path, operations] of Object.entries<Record<string, { security: object[]; responses: object }>>(
    body.paths,
  )) {
    for (const { security, responses } of Object.values(operations)) {
      if (path === '/livez' || path === '/readyz') expect(security).toEqual([]);
      else {
        expect(security).toEqual([{ bearer: [] }, { apiKey: [] }]);
        expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403', '429']));
      }
    }
  }
});
