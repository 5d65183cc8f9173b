import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { OpenRequests } from './open-requests';

describe('OpenRequests', () => {
  let open: OpenRequests;
  let url: string;
  let finish: () => void;
  let close: () => Promise<unknown>;
  beforeEach(async () => {
    open = new OpenRequests();
    const app = express();
    app.use(open.watch);
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    app.get('/slow', async (_request, response) => {
      await finished;
      response.send('done');
    });
    app.get('/events', (_request, response) => {
      response.set('Content-Type', 'text/event-stream').write('retry: 1\n\n');
    });
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    close = async () => {
      server.closeAllConnections();
      server.close();
    };
  });
  afterEach(() => close());

  it('waits for the answers under way, and ends their connections', async () => {
    const answer = fetch(`${url}/slow`);
    await fetch(`${url}/absent`);
    let drained = false;
    const draining = open.drain(60_000).then(() => {
      drained = true;
    });
    expect((await fetch(`${url}/absent`)).headers.get('connection')).toBe('close');
    expect(drained).toBe(false);
    finish();
    expect((await answer).headers.get('connection')).toBe('close');
    expect(await (await answer).text()).toBe('done');
    await draining;
  });

  it('waits no longer than it may', async () => {
    const answer = fetch(`${url}/slow`);
    await fetch(`${url}/absent`);
    await open.drain(1);
    finish();
    await answer;
  });

  it('waits for nobody where there is nobody', async () => {
    await open.drain(60_000);
  });

  it('lets followers go, who come back to another gateway', async () => {
    const stream = await fetch(`${url}/events`);
    const reading = stream.text();
    await open.drain(60_000);
    await expect(reading).rejects.toThrow();
  });
});
