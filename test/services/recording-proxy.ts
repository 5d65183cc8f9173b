import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Recorded {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Forwards to a server, each request when `before` lets it, and keeps what was sent there. */
export async function recordingProxy(
  target: string,
  before: (sent: Recorded) => Promise<void> | void = () => undefined,
): Promise<{ url: string; sent: Recorded[]; close(): Promise<void> }> {
  const sent: Recorded[] = [];
  const { hostname, port } = new URL(target);
  const server = createServer(async (incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const body = await buffer(incoming).catch(() => null);
    // Who sent it has left.
    if (body === null) return;
    const recorded = { method, url, headers, body: body.toString('latin1') };
    sent.push(recorded);
    await before(recorded);
    // The Host header stays as it was signed.
    const forwarded = request({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    forwarded.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
