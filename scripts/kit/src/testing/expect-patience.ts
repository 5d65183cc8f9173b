import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Source, SourceEnv } from '../source';
import { testContext } from './test-context';

/**
 * Expects a source to give up on a server that never speaks when its `<prefix>CONNECT_TIMEOUT` is over, with `lost`, and at
 * once when it is aborted, with the reason.
 */
export async function expectPatience(source: Source, env: SourceEnv, prefix: string, lost: object): Promise<void> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = String((server.address() as AddressInfo).port);
  const waiting = (seconds: string, context = testContext()) => {
    const mute = { [`${prefix}HOST`]: '127.0.0.1', [`${prefix}PORT`]: port, [`${prefix}CONNECT_TIMEOUT`]: seconds };
    return source.connect({ ...env, ...mute }, context);
  };
  const context = testContext();
  const patient = waiting('100', context).catch((error) => error);
  await expect(waiting('1')).rejects.toMatchObject(lost);
  // The patient one waits still, until it is told to stop.
  const reason = new Error('SIGTERM');
  context.controller.abort(reason);
  expect(await patient).toBe(reason);
  for (const socket of sockets) socket.destroy();
  server.close();
}
