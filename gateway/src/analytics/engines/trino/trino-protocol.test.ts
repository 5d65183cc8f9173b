import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AnswerBudget } from '../answer-budget';
import { TrinoRunner } from './trino-runner';

/** What stands between Trino and us in a company's network: a balancer with moods. */
describe('behind a balancer, Trino', () => {
  let server: Server;
  let url: string;
  let seen: IncomingMessage[];
  let warnings: string[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    seen = [];
    warnings = [];
    server = createServer((request, response) => {
      seen.push(request);
      request.resume().on('end', () => answer(request, response));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const json = (response: ServerResponse, page: object) =>
    response.end(JSON.stringify({ id: 'q', stats: {}, ...page }));
  const run = (signal = new AbortController().signal, password: string | null = null) => {
    const settings = { url, catalog: 'hive', schema: 's', user: 'ana', password };
    const runner = new TrinoRunner(settings, (message, { cause }) => warnings.push(`${message}: ${cause}`));
    return runner.run('SELECT 1', [], new AnswerBudget({ maxRows: 9, maxBytes: 999 }), signal);
  };
  const DONE = { columns: [{ name: 'n', typeSignature: { rawType: 'bigint' } }], data: [[9007199254740992]] };

  it('is asked again while the balancer says that it is busy', async () => {
    answer = (_, response) => {
      response.statusCode = [503, 502, 429, 200][seen.length - 1]!;
      json(response, DONE);
    };
    expect((await run()).rows).toEqual([['9007199254740992']]);
    expect(seen).toHaveLength(4);
  });

  it('is reached where TRINO_URL says, whatever it calls itself, and nobody else gets the password', async () => {
    answer = ({ url: path }, response) =>
      path === '/v1/statement'
        ? json(response, { nextUri: 'https://inner.example:9/v1/statement/q/1?a=b' })
        : json(response, DONE);
    await run(undefined, 'secret');
    expect(seen.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
      'POST /v1/statement',
      'GET /v1/statement/q/1?a=b',
    ]);
    const authorization = `Basic ${Buffer.from('ana:secret').toString('base64')}`;
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([authorization, authorization]);
  });

  it('is followed to no other place', async () => {
    answer = (_, response) => response.writeHead(307, { Location: 'http://127.0.0.1:1/' }).end();
    await expect(run()).rejects.toMatchObject({ code: 'LAKE_UNAVAILABLE' });
    expect(seen).toHaveLength(1);
  });

  it.each([
    [401, 'LAKE_DENIED', /refused the user ana/],
    [404, 'LAKE_UNAVAILABLE', /status 404/],
    [500, 'LAKE_UNAVAILABLE', /status 500/],
  ])('has its status %d told as %s', async (status, code, message) => {
    answer = (_, response) => response.writeHead(status).end('<html>');
    await expect(run(undefined, 'secret')).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('is unavailable when nothing listens', async () => {
    server.close();
    await once(server, 'close');
    await expect(run()).rejects.toMatchObject({ code: 'LAKE_UNAVAILABLE', message: expect.stringContaining(url) });
  });

  it('is told to end a query whose first answer came after the caller had left', async () => {
    const stop = new AbortController();
    const killed = new Promise<string>((resolve) => {
      answer = ({ method, url: path }, response) => {
        if (method === 'DELETE') resolve(path!);
        else stop.abort(new Error('gone'));
        json(response, { nextUri: `${url}/v1/statement/queued/q/1` });
      };
    });
    await expect(run(stop.signal)).rejects.toThrow('gone');
    expect(await killed).toBe('/v1/statement/queued/q/1');
    expect(warnings).toEqual([]);
  });

  it.each(['refuses', 'is silent'])('does not make a query late when it %s to end it', async (how) => {
    const stop = new AbortController();
    answer = ({ method }, response) => {
      if (method === 'DELETE') {
        if (how === 'refuses') response.destroy();
      } else {
        json(response, { nextUri: `${url}/v1/statement/q/${seen.length}` });
        if (seen.length === 3) stop.abort(new Error('gone'));
      }
    };
    await expect(run(stop.signal)).rejects.toThrow('gone');
    if (how === 'is silent') return;
    while (warnings.length === 0) await new Promise(setImmediate);
    expect(warnings).toEqual([expect.stringContaining('could not be killed')]);
  });
});
