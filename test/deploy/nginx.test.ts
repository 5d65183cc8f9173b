import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Balancer, startNginx } from '../faults/harness/nginx';
import { createAuthority, createCertificate } from '../services/certificates';
import { describeWith } from '../services/need';
import { freePort } from '../services/server-process';

/** A gateway that does as the test says, and remembers who asked. */
interface StandIn {
  server: Server;
  url: string;
  asked: string[];
  behave: RequestListener;
}

async function standIn(): Promise<StandIn> {
  const it: Partial<StandIn> & { asked: string[] } = { asked: [] };
  it.behave = (_request, response) => response.end('{}');
  it.server = createServer((request, response) => {
    if (request.url !== '/livez') it.asked.push(`${request.method} ${request.url}`);
    if (request.url === '/livez') response.end('{}');
    else it.behave!(request, response);
  }).listen(0, '127.0.0.1');
  await once(it.server, 'listening');
  it.url = `http://127.0.0.1:${(it.server.address() as AddressInfo).port}`;
  return it as StandIn;
}

const codeOf = async (answer: Response) => ((await answer.json()) as { error: { code: string } }).error.code;

describeWith(['nginx'], 'the balancer', () => {
  let folder: string;
  let both: StandIn[];
  let nginx: Balancer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-nginx-'));
    both = [await standIn(), await standIn()];
    nginx = await startNginx(
      folder,
      both.map(({ url }) => url),
      60,
    );
  });
  afterAll(async () => {
    await nginx?.stop();
    for (const { server } of both ?? []) {
      server.closeAllConnections();
      server.close();
    }
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    for (const one of both) {
      one.asked.length = 0;
      one.behave = (_request, response) => response.end('{}');
    }
  });
  const everyone = (behave: RequestListener) => {
    for (const one of both) one.behave = behave;
  };
  const asked = () => both.flatMap((one) => one.asked);

  it('ends TLS once its comments are taken away, and still answers the health check without', async () => {
    const tls = { folder: join(folder, 'tls'), port: await freePort() };
    await mkdir(tls.folder);
    const ca = await createAuthority(tls.folder, 'ca');
    await createCertificate(tls.folder, 'ca', 'DNS:localhost');
    await rename(join(tls.folder, 'server.pem'), join(tls.folder, 'fullchain.pem'));
    await rename(join(tls.folder, 'server.key'), join(tls.folder, 'privkey.pem'));
    const secured = await startNginx(
      tls.folder,
      both.map(({ url }) => url),
      60,
      tls,
    );
    try {
      let proto: unknown;
      everyone((request, response) => {
        proto = request.headers['x-forwarded-proto'];
        response.end('{}');
      });
      const [answer] = (await once(get(`https://localhost:${tls.port}/`, { ca, agent: false }), 'response')) as [
        IncomingMessage,
      ];
      answer.resume();
      expect([answer.statusCode, proto]).toEqual([200, 'https']);
      expect((await fetch(`${secured.url}/livez`)).status).toBe(200);
    } finally {
      await secured.stop();
    }
  });

  it('asks the other gateway where one dies over a GET', async () => {
    let first = true;
    everyone((request, response) => {
      if (first) request.socket.destroy();
      else response.end('"from the other"');
      first = false;
    });
    const answer = await fetch(`${nginx.url}/mysql/analytics/users`);
    expect([answer.status, await answer.text()]).toEqual([200, '"from the other"']);
    expect(asked()).toHaveLength(2);
  });

  it('never sends a POST twice, and says what the caller can do', async () => {
    everyone((request) => request.socket.destroy());
    const answer = await fetch(`${nginx.url}/api/ingesta/mysql`, { method: 'POST', body: '{}' });
    expect(asked()).toEqual(['POST /api/ingesta/mysql']);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(await answer.json()).toEqual({
      status: 'error',
      database: null,
      error: {
        code: 'GATEWAY_UNAVAILABLE',
        message: expect.any(String),
        hint: expect.stringContaining('Idempotency-Key'),
        run_id: null,
      },
    });
  });

  it('passes a gateway’s own errors on as they are', async () => {
    everyone((_request, response) => response.writeHead(503, { 'Content-Type': 'application/json' }).end('{"own":1}'));
    const answer = await fetch(`${nginx.url}/mysql/analytics/users`);
    expect([answer.status, await answer.text()]).toEqual([503, '{"own":1}']);
  });

  it('hands events on when they come, not when there are many', async () => {
    let next: () => void = () => undefined;
    everyone((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
      next = () => response.end('data: 2\n\n');
    });
    const stream = (await fetch(`${nginx.url}/api/ingesta/runs/x/events`)).body!.getReader();
    const read = async () => Buffer.from((await stream.read()).value ?? []).toString();
    expect(await read()).toBe('data: 1\n\n');
    next();
    expect(await read()).toBe('data: 2\n\n');
  });

  it('tells the gateway who really asks, whatever the caller claims', async () => {
    let headers: Record<string, unknown> = {};
    everyone((request, response) => {
      headers = request.headers;
      response.end('{}');
    });
    await fetch(`${nginx.url}/`, { headers: { 'X-Forwarded-For': '6.6.6.6', 'X-Request-Id': 'mine' } });
    expect(headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' });
    expect(headers['x-request-id']).not.toBe('mine');
  });

  it('refuses large bodies itself, in the shape of the API', async () => {
    const answer = await fetch(`${nginx.url}/api/ingesta/mysql`, { method: 'POST', body: 'x'.repeat(200_000) });
    expect([answer.status, await codeOf(answer)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect(asked()).toEqual([]);
  });

  it('shows nobody the metrics', async () => {
    const answer = await fetch(`${nginx.url}/metrics`);
    expect([answer.status, await codeOf(answer)]).toEqual([404, 'NOT_FOUND']);
    expect(asked()).toEqual([]);
  });

  it('slows down who asks too much, but no monitor', async () => {
    const answers = await Promise.all(Array.from({ length: 1000 }, () => fetch(`${nginx.url}/x`)));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(limited[0]!.headers.get('retry-after')).toBe('1');
    expect(await codeOf(limited[0]!)).toBe('RATE_LIMITED');
    const health = await Promise.all(Array.from({ length: 400 }, () => fetch(`${nginx.url}/health`)));
    expect(new Set(health.map(({ status }) => status))).toEqual(new Set([200]));
  });
});
