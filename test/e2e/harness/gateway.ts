import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GatewayProcess, startGateway } from '../../services/gateway-process';

export const ROOT = join(__dirname, '../../..');

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely.
  body: any;
}

/** The gateway under test, as a process of its own. */
export interface TestGateway extends GatewayProcess {
  post(source: string, body?: object): Promise<Answer>;
  get(path: string): Promise<Answer>;
  log(): Promise<string>;
}

/** Starts the built gateway. `stop` also removes its folder. */
export async function startTestGateway(settings: Record<string, string>): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-e2e-'));
  const gateway = await startGateway(ROOT, folder, settings);
  const call = async (path: string, init?: RequestInit): Promise<Answer> => {
    const response = await fetch(gateway.url + path, init);
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  return {
    ...gateway,
    post: (source, body) =>
      call(`/api/ingesta/${source}`, {
        method: 'POST',
        ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
      }),
    get: (path) => call(path),
    log: () => readFile(gateway.logFile, 'utf8'),
    stop: async (signal) => {
      const code = await gateway.stop(signal);
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** What every failed POST must look like. */
export function expectFailure(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.body.error?.code, body: answer.body }).toMatchObject({ status, code });
  expect(answer.body).toEqual({
    status: 'error',
    database: expect.any(String),
    error: {
      code,
      message: expect.stringMatching(/\S/),
      hint: expect.stringMatching(/\S/),
      run_id: expect.any(String),
    },
  });
}
