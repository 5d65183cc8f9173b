import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { ShippedSources } from '../sources/shipped-sources';
import { DockerRunner } from './docker-runner';

describe('a Docker daemon that accepts calls and answers none', () => {
  let folder: string;
  let server: Server;
  const sockets: Socket[] = [];
  let runner: DockerRunner;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-frozen-'));
    const socketPath = join(folder, 'docker.sock');
    server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    runner = new DockerRunner(new Docker({ socketPath }), new ShippedSources(null), { prefix: 'x-', tag: 'y' });
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is told as RUNNER_UNAVAILABLE by everything that asks it', async () => {
    const unavailable = { code: 'RUNNER_UNAVAILABLE', message: expect.stringContaining('no answer') };
    await Promise.all([
      expect(runner.check()).rejects.toMatchObject(unavailable),
      expect(runner.list()).rejects.toMatchObject(unavailable),
      expect(runner.resolve('mysql')).rejects.toMatchObject(unavailable),
    ]);
  });
});
