import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands where a Docker daemon should be: has no image and no container, and notes what it is asked (`GET /images/json`). */
export interface WatchedDocker {
  /** For `DOCKER_HOST`. */
  readonly host: string;
  readonly calls: string[];
  close(): Promise<void>;
}

export async function startWatchedDocker(): Promise<WatchedDocker> {
  const calls: string[] = [];
  const server = createServer(({ method, url = '' }, response) => {
    const path = new URL(url, 'http://docker').pathname.replace(/^\/v[\d.]+/, '');
    calls.push(`${method} ${path}`);
    const lists = /^\/(images|containers)\/json$/.test(path);
    response.writeHead(lists || path === '/info' ? 200 : 404, { 'content-type': 'application/json' });
    response.end(lists ? '[]' : '{"message":"there is nothing here"}');
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
