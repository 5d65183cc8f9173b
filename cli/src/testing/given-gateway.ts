import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gateway } from '../gateway';
import { Patience, type Time } from '../patience';

export interface Asked {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers one request; a test lists what happens one after the other. */
export type Step = (response: ServerResponse, asked: Asked) => void;

/** A real HTTP server that does what a test says, request by request, and notes what it was asked. */
export async function givenGateway(steps: Step[], key: string | null = null) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method = '', url: path = '', headers } = request;
    const question = { method, path, headers, body };
    asked.push(question);
    const step = steps.shift();
    if (step === undefined)
      json(500, failure('INTERNAL', { message: `unexpected ${method} ${path}` }))(response, question);
    else step(response, question);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    gateway: new Gateway(url, key, 'test'),
    asked,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Step =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

/** Takes the request and hangs up. */
export const hangUp: Step = (response) => void response.destroy();

/** A stream of events; `then` says how it ends. */
export const events =
  (frames: { id: number; event: string; data: unknown }[], then: 'end' | 'break' = 'end'): Step =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const text = frames.map(({ id, event, data }) => `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    response.write(`retry: 2000\n\n${text.join('')}`, () => {
      if (then === 'end') response.end();
      else response.destroy();
    });
  };

export const failure = (code: string, change: { message?: string; run_id?: string | null } = {}) => ({
  status: 'error',
  database: 'mysql',
  error: { code, message: 'It did not work', hint: 'Do something', run_id: null, ...change },
});

/** Time that passes only while somebody sleeps, and at once. */
export function givenTime(): Time & { slept: number[] } {
  const slept: number[] = [];
  let now = 0;
  return {
    slept,
    now: () => now,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
}

export function givenPatience(limitMs = 300_000, signal = new AbortController().signal) {
  const time = givenTime();
  const troubles: string[] = [];
  return { patience: new Patience(limitMs, signal, (message) => troubles.push(message), time), time, troubles };
}
