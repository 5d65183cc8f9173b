import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describeWith } from '../services/need';
import { startTokenIssuer } from './harness/token-issuer';
import { startWatchedDocker, type WatchedDocker } from './harness/watched-docker';
import { inWorld } from './harness/world';

/** What `fetch` would refuse to send, or would tidy up. */
function send(url: string, method: string, path: string, headers: Record<string, string>, body?: string) {
  const { hostname, port } = new URL(url);
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const call = request({ hostname, port, method, path, headers }, async (answer) => {
      resolve({ status: answer.statusCode!, body: await text(answer) });
    });
    call.on('error', reject);
    call.end(body);
  });
}

const json = { 'content-type': 'application/json' };
const names = [
  '..%2f..%2fetc%2fpasswd',
  'postgresql%00',
  'postgresql%3b%20rm%20-rf%20%2f',
  'postgresql:latest',
  'POSTGRESQL',
  '__proto__',
  'constructor',
  '-v',
  "postgresql'%20OR%201=1--",
  `${'a'.repeat(4000)}`,
  '%ff%fe',
  'runs',
];
const bodies: readonly [string, Record<string, string>][] = [
  ['{"tables":["users; DROP TABLE users"],"sql":"SELECT 1"}', json],
  ['{"image":"evil:latest"}', json],
  ['{"command":["sh"],"mounts":["/:/host"]}', json],
  ['{"tables":"orders"}', json],
  ['{"tables":[]}', json],
  ['{"tables":[{"$ne":null}]}', json],
  ['{"format":"../../csv"}', json],
  ['{"__proto__":{"dry_run":true},"x":1}', json],
  ['[]', json],
  ['{"tables":', json],
  [`{"tables":["${'x'.repeat(2_000_000)}"]}`, json],
  ['{}', { ...json, 'idempotency-key': 'x'.repeat(300) }],
  ['{}', { ...json, 'idempotency-key': 'a b' }],
];

/** What a gateway asks of its engine by itself: whether it is there, which images it has, what is left on it. */
const OWN_CALLS = /^GET \/(_ping|info|images\/json|containers\/json)$/;

// Seen to fail with `noImplicitAdditionalProperties` (tsoa.json) off: a body with an `image` was taken; and with
// `#checkName` (ingest-controller.ts) letting every name through.
describeWith(['nginx', 'postgresql', 's3'], 'fault 28: hostile requests', () => {
  let docker: WatchedDocker;
  beforeAll(async () => {
    docker = await startWatchedDocker();
  });
  afterAll(() => docker?.close());

  it('get a 4xx as JSON; neither Docker, nor a script, a lease or a database hears of them', () => {
    const settings = { RUNNER: 'docker', DOCKER_HOST: docker.host };
    return inWorld({ settings }, async ({ bucket, database, gateways: [a], nginx }) => {
      for (const name of names) {
        const { status, body } = await send(a!.url, 'POST', `/api/ingesta/${name}`, {});
        expect([name, status >= 400 && status < 500, JSON.parse(body).status]).toEqual([name, true, 'error']);
      }
      for (const [content, headers] of bodies) {
        const { status, body } = await send(
          a!.url,
          'POST',
          '/api/ingesta/postgresql',
          { ...headers, 'content-length': String(Buffer.byteLength(content)) },
          content,
        );
        expect([content.slice(0, 60), status >= 400 && status < 500, JSON.parse(body).status]).toEqual([
          content.slice(0, 60),
          true,
          'error',
        ]);
      }
      for (const path of [
        '/api/ingesta/runs/..%2f..',
        '/api/ingesta/runs/1',
        '/api/ingesta/runs?cursor=%27;&limit=-1',
      ]) {
        const { status } = await send(a!.url, 'GET', path, {});
        expect([path, status >= 400 && status < 500]).toEqual([path, true]);
      }
      expect(database.received()).toBe(0);
      for await (const { key } of bucket.lake.list('_ingesta/locks/')) throw new Error(`${key} was made`);
      expect(await a!.log()).not.toContain('run started');
      // Only one of these names can be a source's; nobody has it.
      const asked = new Set(docker.calls.filter((call) => !OWN_CALLS.test(call)));
      expect([...asked]).toEqual(['GET /images/ingesta-constructor:latest/json']);
      expect((await nginx.get('/livez')).status).toBe(200);
    });
  });

  it('that name tables no database has end before anything is read', () =>
    inWorld({ gateways: 1 }, async ({ gateways: [a] }) => {
      const tables = ['orders; DROP TABLE orders', "x' OR '1'='1", '../payments', '__proto__', '"'];
      const { status, body } = await a!.post('postgresql', { headers: json, body: JSON.stringify({ tables }) });
      expect([status, body.error.code]).toEqual([422, 'TABLE_NOT_FOUND']);
      const { body: well } = await a!.post();
      expect(Object.keys(well.result).sort()).toEqual(['orders', 'payments']);
    }));
});

// Seen to fail with `decodeJwt` in the place of `jwtVerify` (jwt-verifier.ts): all passed; and without its `audience`.
describeWith(['nginx', 'postgresql', 's3'], 'fault 28: tokens', () => {
  it('that are forged, old, or for somebody else open nothing; neither Docker nor the database hears of them', async () => {
    const [issuer, docker] = [await startTokenIssuer(), await startWatchedDocker()];
    const settings = { ...issuer.settings, RUNNER: 'docker', DOCKER_HOST: docker.host };
    try {
      await inWorld({ gateways: 1, settings }, async ({ bucket, database, gateways: [a] }) => {
        const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
        const bad = [
          ...(await issuer.forged()),
          ['expired', await issuer.token({}, '-1m')],
          ['for another audience', await issuer.token({ aud: 'another' })],
          ['of another issuer', await issuer.token({ iss: 'https://evil.example' })],
          ['not valid yet', await issuer.token({ nbf: Math.floor(Date.now() / 1000) + 3600 })],
          ['junk', 'a.b.c'],
        ] as const;
        for (const [what, token] of bad) {
          const { status, headers, body } = await a!.post('postgresql', as(token));
          expect([what, status, body.error.code]).toEqual([what, 401, 'UNAUTHENTICATED']);
          expect(headers.get('www-authenticate')).toContain('invalid_token');
        }
        const readOnly = await a!.post('postgresql', as(await issuer.token({ scope: 'ingesta:read' })));
        expect([readOnly.status, readOnly.body.error.code]).toEqual([403, 'FORBIDDEN']);
        expect(docker.calls.filter((call) => !OWN_CALLS.test(call))).toEqual([]);
        expect(database.received()).toBe(0);
        for await (const { key } of bucket.lake.list('_ingesta/locks/')) throw new Error(`${key} was made`);
        // A good one gets as far as Docker.
        const good = await a!.post('postgresql', as(await issuer.token()));
        expect([good.status, good.body.error.code]).toEqual([503, 'IMAGE_NOT_FOUND']);
        expect(docker.calls.some((call) => !OWN_CALLS.test(call))).toBe(true);
      });
    } finally {
      await Promise.all([issuer.close(), docker.close()]);
    }
  });
});
