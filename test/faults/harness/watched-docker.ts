import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands where a Docker daemon should be, notes what it is asked (`POST /containers/create`) and refuses everything. */
export interface WatchedDocker {
  /** For `DOCKER_HOST`. */
  readonly host: string;
  readonly calls: string[];
  close(): Promise<void>;
}

export async function startWatchedDocker(): Promise<WatchedDocker> {
  const calls: string[] = [];
  const server = createServer(({ method, url = '' }, response) => {
    calls.push(`${method} ${new URL(url, 'http://docker').pathname.replace(/^\/v[\d.]+/, '')}`);
    response.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"refused by the test"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
