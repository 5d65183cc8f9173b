import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP relay whose line can be made slow, silent, or broken. */
export interface TcpHop {
  readonly port: number;
  /** Bytes that the server has sent so far. */
  received(): number;
  /** Nothing passes any more in either direction; connections stay open. */
  freeze(): void;
  /** Undoes `freeze`, `resetAfter` and `throttle`. */
  thaw(): void;
  /** Resets every connection as soon as the server has sent so many more bytes on all of them, and takes no new one. */
  resetAfter(bytes: number): void;
  /** What the server may send, in bytes a second on each connection. */
  throttle(bytesPerSecond: number): void;
  close(): Promise<void>;
}

export async function startTcpHop(host: string, port: number, listen = '127.0.0.1'): Promise<TcpHop> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let resetAt = Number.POSITIVE_INFINITY;
  let rate: number | null = null;
  let received = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()); // Broken on purpose, mostly.
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    if (received >= resetAt) return void client.resetAndDestroy();
    const upstream = connect({ host, port });
    keep(client);
    keep(upstream);
    client.on('data', (chunk) => frozen || upstream.write(chunk));
    upstream.on('data', (chunk) => {
      if (frozen) return;
      received += chunk.length;
      if (received >= resetAt) {
        for (const socket of sockets) socket.resetAndDestroy();
        return;
      }
      const taken = client.write(chunk);
      if (rate === null && taken) return;
      upstream.pause();
      if (rate === null) client.once('drain', () => upstream.resume());
      else setTimeout(() => upstream.resume(), (chunk.length / rate) * 1000);
    });
    client.on('end', () => frozen || upstream.end());
    upstream.on('end', () => frozen || client.end());
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => frozen || client.destroySoon());
  });
  server.listen(0, listen);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    freeze: () => {
      frozen = true;
    },
    thaw: () => {
      frozen = false;
      resetAt = Number.POSITIVE_INFINITY;
      rate = null;
    },
    resetAfter: (bytes) => {
      resetAt = received + bytes;
    },
    throttle: (bytesPerSecond) => {
      rate = bytesPerSecond;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
