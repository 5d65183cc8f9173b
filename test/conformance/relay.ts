import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Every answer of the database is held back this long, so that a small table, too, takes its time. */
const DELAY_MS = 400;

/** A server between the script and its database. */
export interface Relay {
  readonly port: number;
  /** Answers nothing more; connections stay open. */
  freeze(): void;
  /** Breaks every connection, and takes no new one. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts a relay to the first of `hosts` that takes the connection; with none it takes connections and is silent. */
export async function startRelay(listen: string, hosts: readonly string[], port: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let broken = false;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    // Broken on purpose, mostly; what the script makes of it is what is being looked at.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer(async (client) => {
    keep(client);
    if (broken) return void client.destroy();
    const upstream = await connectFirst(hosts, port);
    if (upstream === null) return void (hosts.length > 0 && client.destroy());
    keep(upstream);
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      setTimeout(() => {
        if (!frozen && !client.destroyed) client.write(chunk);
      }, DELAY_MS);
    });
    upstream.on('end', () => setTimeout(() => !frozen && client.end(), DELAY_MS));
    client.on('close', () => upstream.destroy());
  });
  // Docker Desktop's bridge is not of this machine, and its containers reach what listens on loopback.
  await listenOn(server, listen).catch(() => listenOn(server, '127.0.0.1'));
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => {
      frozen = true;
    },
    cut: () => {
      broken = true;
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function listenOn(server: Server, host: string): Promise<void> {
  const listening = once(server, 'listening');
  server.listen(0, host);
  await listening;
}

async function connectFirst(hosts: readonly string[], port: number): Promise<Socket | null> {
  for (const host of hosts) {
    const socket = connect({ host, port });
    const there = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (there) return socket;
  }
  return null;
}
