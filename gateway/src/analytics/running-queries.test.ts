import { once } from 'node:events';
import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import { GivenAnalytics } from '../testing/given-analytics';
import type { ResultSet } from './engines/engine';

describe('while a query runs', () => {
  let given: GivenAnalytics;
  beforeEach(async () => {
    given = await GivenAnalytics.create();
  });
  afterEach(() => given.remove());

  let finish: (rows: ResultSet[]) => void;
  let url: string;
  let server: http.Server;
  const RESULT: ResultSet[] = [{ columns: [{ name: 'n', type: 'integer' }], rows: [[7]] }];
  beforeEach(async () => {
    await given.commit();
    await listen();
  });
  afterEach(() => stopListening());
  const stopListening = () => {
    server.close();
    server.closeAllConnections();
  };

  async function listen() {
    given.engine.answer = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    server = given.app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const running = async (queries: number) => {
    while (given.engine.queries.length < queries) await new Promise(setImmediate);
  };

  it('the same requests share it, and one caller who hangs up takes it from nobody', async () => {
    const leave = new AbortController();
    const gone = fetch(`${url}/r`, { signal: leave.signal }).catch((error: Error) => error.name);
    const others = [fetch(`${url}/r`), fetch(`${url}/r?n=3`)];
    await running(1);
    leave.abort();
    expect(await gone).toBe('AbortError');
    finish(RESULT);
    for (const response of await Promise.all(others)) expect(await response.json()).toMatchObject({ n: 7 });
    expect(given.engine.queries).toHaveLength(1);
  });

  it('it ends when the last caller hangs up; the next one asks anew', async () => {
    const leave = new AbortController();
    const gone = fetch(`${url}/r`, { signal: leave.signal }).catch(() => undefined);
    await running(1);
    leave.abort();
    await gone;
    await new Promise<void>((resolve) => {
      const { signal } = given.engine.queries[0]!;
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    });
    const next = fetch(`${url}/r`);
    await running(2);
    finish(RESULT);
    expect((await next).status).toBe(200);
    expect(given.lines).toEqual([]);
  });

  it('none begins for who hung up while the snapshot was read', async () => {
    const { read } = given.service;
    const leave = new AbortController();
    const closed = new Promise((resolve) => server.once('request', (_, response) => response.once('close', resolve)));
    given.service.read = async (...about) => {
      leave.abort();
      await closed;
      return read.apply(given.service, about);
    };
    const answer = jest.spyOn(given.service, 'answer');
    await fetch(`${url}/r`, { signal: leave.signal }).catch(() => undefined);
    while (answer.mock.calls.length === 0) await new Promise(setImmediate);
    expect(answer.mock.calls[0]![1].aborted).toBe(true);
    expect(given.engine.queries).toEqual([]);
  });

  it('others wait for their turn, and too many are told to come back', async () => {
    stopListening();
    await given.start({ maxConcurrentQueries: 1 });
    await listen();
    const first = fetch(`${url}/r?n=1`);
    await running(1);
    const waiting = Array.from({ length: 200 }, (_, i) =>
      given.service.read(given.service.routes[0]!, new Map([['n', i + 100]])),
    );
    const queued = (await Promise.all(waiting)).map((reading) =>
      given.service.answer(reading, new AbortController().signal).catch((error) => error),
    );
    await new Promise(setImmediate);
    const refused = await fetch(`${url}/r?n=2`);
    expect({ status: refused.status, retry: refused.headers.get('Retry-After') }).toEqual({
      status: 429,
      retry: '5',
    });
    expect(given.engine.queries).toHaveLength(1);
    given.engine.answer = async () => RESULT;
    finish(RESULT);
    expect((await first).status).toBe(200);
    for (const answer of await Promise.all(queued)) expect(answer).toBeInstanceOf(Buffer);
  });

  it('it is killed when its time is over', async () => {
    stopListening();
    await given.start({ queryTimeoutSeconds: 0.05 });
    await listen();
    const response = await fetch(`${url}/r`);
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 504,
      body: { error: { code: 'QUERY_TIMEOUT', hint: expect.stringContaining('QUERY_TIMEOUT') } },
    });
    expect(given.engine.queries[0]!.signal.aborted).toBe(true);
  });
});
