import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptInstall, canAptInstall } from './apt';
import { findProgram, runCommand } from './command';
import { startServer } from './server-process';

/** A Docker daemon that answers. */
export interface Engine {
  readonly how: string;
  /** The bridge's address when it is one of this machine's own (on Docker Desktop it is not): servers listen there too. */
  readonly gateway?: string;
  stop(): Promise<void>;
}

/** Where there is no daemon the answer comes at once. */
const PING_MS = 20_000;
const DAEMON_READY_MS = 180_000;

/** The daemon that answers; else, where installing is allowed, one of our own; else `undefined`. */
export async function startEngine(): Promise<Engine | undefined> {
  if (await pingEngine().catch(() => false)) return describeEngine('it was running', async () => undefined);
  if (!canAptInstall() || process.platform !== 'linux') return undefined;
  if (!findProgram('dockerd') || !findProgram('docker')) await aptInstall('docker.io');
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-dockerd-'));
  const daemon = await startServer(
    {
      command: findProgram('dockerd') ?? 'dockerd',
      args: [],
      cwd: folder,
      logFile: join(folder, 'dockerd.log'),
      detached: true,
      readyWithinMs: DAEMON_READY_MS,
    },
    pingEngine,
  );
  return describeEngine('started by the tests', async () => {
    await daemon.stop();
    await rm(folder, { recursive: true, force: true });
  });
}

/** Whether `GET /_ping` is answered where DOCKER_HOST says, or on the usual socket. */
export function pingEngine(): Promise<boolean> {
  const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
  const target = host.startsWith('unix://')
    ? { socketPath: host.slice('unix://'.length) }
    : { hostname: new URL(host).hostname, port: new URL(host).port };
  return new Promise((resolve, reject) => {
    const ping = request({ ...target, path: '/_ping', timeout: PING_MS }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode === 200));
    });
    ping.once('timeout', () => ping.destroy(new Error('no answer to /_ping')));
    ping.once('error', reject);
    ping.end();
  });
}

async function describeEngine(origin: string, stop: () => Promise<void>): Promise<Engine> {
  const docker = findProgram('docker');
  if (!docker) throw new Error('a Docker engine answers, but there is no `docker` program to build images with');
  const version = await runCommand(docker, ['version', '--format', '{{.Server.Version}}']);
  return { how: `Docker engine ${version.trim()}, ${origin}`, gateway: await bridgeGateway(docker), stop };
}

async function bridgeGateway(docker: string): Promise<string | undefined> {
  const format = '{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}}{{end}}';
  const inspected = await runCommand(docker, ['network', 'inspect', 'bridge', '--format', format]).catch(() => '');
  // Some engines tell the subnet only; the bridge then has its first address.
  const [, gateway, subnet] = /^(\S*) (\S+)\.\d+\//.exec(inspected) ?? [];
  const address = gateway || `${subnet}.1`;
  return (await isOurs(address)) ? address : undefined;
}

/** Whether a server can listen there. The list of interfaces would not do: it leaves out a bridge without containers. */
function isOurs(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(0, address, () => server.close(() => resolve(true)));
  });
}
