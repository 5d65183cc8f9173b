import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCommand } from '../../services/command';
import { dockerdProgram } from '../../services/need';
import { startServer } from '../../services/server-process';

const run = promisify(execFile);

/** A Docker daemon that a test may stop, kill and start again. Its containers have the host's network or none. */
export interface OwnDockerd {
  /** For DOCKER_HOST. */
  readonly host: string;
  docker(...args: string[]): Promise<string>;
  /** Copies an image from the machine's own daemon. */
  take(image: string): Promise<void>;
  /** Ends the daemon so, and starts it again. */
  restart(signal: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

export async function startOwnDockerd(): Promise<OwnDockerd> {
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-dockerd-'));
  const socket = join(folder, 'docker.sock');
  const host = `unix://${socket}`;
  const pidfile = join(folder, 'docker.pid');
  const docker = (...args: string[]) => runCommand('docker', ['-H', host, ...args], { timeoutMs: 120_000 });
  const start = () =>
    startServer(
      {
        command: dockerdProgram(),
        args: [
          ...[
            '-H',
            host,
            '--pidfile',
            pidfile,
            '--data-root',
            join(folder, 'data'),
            '--exec-root',
            join(folder, 'exec'),
          ],
          ...['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--shutdown-timeout', '3'],
        ],
        cwd: folder,
        logFile: join(folder, 'dockerd.log'),
        detached: true,
      },
      () => docker('version'),
    );
  let server = await start();
  return {
    host,
    docker,
    take: async (image) => {
      await run('bash', ['-c', 'set -o pipefail; docker save "$1" | docker -H "$2" load', 'take', image, host]);
    },
    restart: async (signal) => {
      const pid = Number(await runCommand('cat', [pidfile]));
      process.kill(pid, signal);
      await server.stop();
      await rm(pidfile, { force: true });
      server = await start();
    },
    stop: async () => {
      await docker('ps', '-aq').then(async (ids) => {
        const left = ids.split('\n').filter(Boolean);
        if (left.length > 0) await docker('rm', '-f', ...left);
      });
      await server.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
    },
  };
}
