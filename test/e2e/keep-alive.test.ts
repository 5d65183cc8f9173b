import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startTestGateway, type TestGateway } from './harness/gateway';

/** Longer than a gateway waits for the headers of a request (15 s). */
const IDLE_S = 17;

describe('a connection to a gateway', () => {
  let lake: string;
  let gateway: TestGateway;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  beforeAll(async () => {
    lake = await mkdtemp(join(tmpdir(), 'ingesta-keep-'));
    gateway = await startTestGateway({
      ...{ LAKE_URL: pathToFileURL(lake).href, RUNNER: 'process', PACKS: 'none' },
      KEEP_ALIVE_TIMEOUT: String(IDLE_S + 10),
    });
  });
  afterAll(async () => {
    agent.destroy();
    await gateway?.stop();
    await rm(lake, { recursive: true, force: true });
  });

  const ask = () =>
    new Promise<{ reused: boolean; answer: IncomingMessage }>((resolve, reject) => {
      const call = request(`${gateway.url}/livez`, { agent }, (answer) => {
        answer.resume().once('end', () => resolve({ reused: call.reusedSocket, answer }));
      });
      call.once('error', reject).end();
    });

  it('is kept for KEEP_ALIVE_TIMEOUT, whatever a request may take', async () => {
    const { answer } = await ask();
    expect(answer.headers['keep-alive']).toBe(`timeout=${IDLE_S + 10}`);
    await sleep(IDLE_S * 1000);
    expect(await ask()).toMatchObject({ reused: true, answer: { statusCode: 200 } });
  }, 60_000);
});
