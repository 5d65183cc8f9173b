import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram, runCommand, tail } from '../../services/command';

/** A Docker daemon of a test's own, which may be killed: every other one, and its network, is left alone. */
export interface OwnEngine {
  /** For `DOCKER_HOST`. */
  readonly host: string;
  /** This machine's address as the engine's containers see it; they use the engine's own network (`DOCKER_NETWORK=host`). */
  readonly machine: string;
  /** Runs the `docker` program against it. */
  docker(...args: string[]): Promise<string>;
  /** Copies an image of the machine's engine. */
  load(image: string): Promise<void>;
  /** Ends the daemon; what its containers do then is its own affair. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it once more, on what the one before has left. */
  start(): Promise<void>;
  /** Ends everything: containers and network too. */
  close(): Promise<void>;
}

const READY_MS = 60_000;
const POLL_MS = 100;

/**
 * Starts a daemon below `folder` in namespaces of its own (only root can), with a cable to this machine. It makes no bridge and
 * no firewall rules: those of the first daemon would suffer, were it not for the namespaces.
 */
export async function startOwnEngine(folder: string): Promise<OwnEngine> {
  const home = join(folder, 'engine');
  await mkdir(home);
  // Its first process: when that goes, everything in there goes. It goes with us, too: then nobody holds its stdin any more.
  // A bash, because it waits for the orphans that it gets: a dead containerd must not seem to be there still.
  const flags = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const outside = spawn(program('unshare'), [...flags, 'bash', '-c', 'read'], { stdio: ['pipe', 'ignore', 'ignore'] });
  const first = await untilSome(async () => {
    const children = await readFile(`/proc/${outside.pid}/task/${outside.pid}/children`, 'utf8');
    return children.trim();
  });
  const within = (...command: string[]) => ['--target', first, '--net', '--mount', '--pid', ...command];
  const machine = await plugIn(first, (...args) => runCommand(program('nsenter'), within(program('ip'), ...args)));
  const [socket, pidFile, log] = ['docker.sock', 'docker.pid', 'dockerd.log'].map((name) => join(home, name));
  const host = `unix://${socket}`;
  const docker = (...args: string[]) => runCommand('docker', ['--host', host, ...args]);
  let daemon: ChildProcess | undefined;
  const engine: OwnEngine = {
    host,
    machine,
    docker,
    load: async (image) => {
      const archive = join(home, 'image.tar');
      await runCommand('docker', ['save', '--output', archive, image]);
      await docker('load', '--input', archive);
    },
    async start() {
      const args = ['--data-root', join(home, 'data'), '--exec-root', join(home, 'exec'), '--pidfile', pidFile!];
      const alone = ['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--host', host];
      // A containerd of this machine would be shared; without its socket the daemon starts one of its own.
      const hidden = 'mkdir -p /run/containerd && mount -t tmpfs none /run/containerd && exec "$@"';
      const command = within('sh', '-c', hidden, 'sh', program('dockerd'), ...args, ...alone);
      daemon = spawn(program('nsenter'), command, { stdio: ['ignore', 'ignore', 'pipe'] });
      daemon.stderr!.on('data', (chunk: Buffer) => void appendFile(log!, chunk));
      await untilSome(async () => {
        if (daemon!.exitCode !== null) throw new Error(`dockerd ended: ${tail(await readFile(log!, 'utf8'))}`);
        return docker('version', '--format', '{{.Server.Version}}').catch(() => '');
      });
    },
    async stop(signal) {
      const ended = once(daemon!, 'exit');
      const pid = (await readFile(pidFile!, 'utf8')).trim();
      await runCommand(program('nsenter'), within('sh', '-c', `kill -${signal.slice(3)} ${pid}`));
      await ended;
    },
    async close() {
      const ended = once(outside, 'exit');
      outside.kill('SIGKILL');
      await ended;
    },
  };
  await engine.start().catch(async (error) => {
    await engine.close();
    throw error;
  });
  return engine;
}

/** A cable between this machine and the network of process `first`; gives this machine's end. */
async function plugIn(first: string, inside: (...args: string[]) => Promise<string>): Promise<string> {
  const outside = (...args: string[]) => runCommand(program('ip'), args);
  const [here, there] = [`ing${first}h`, `ing${first}t`];
  // 198.18.0.0/15 is for tests of this kind, and used for nothing else.
  const subnet = `198.18.${randomInt(256)}`;
  await inside('link', 'set', 'lo', 'up');
  await outside('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', first);
  await outside('address', 'add', `${subnet}.1/30`, 'dev', here);
  await outside('link', 'set', here, 'up');
  await inside('address', 'add', `${subnet}.2/30`, 'dev', there);
  await inside('link', 'set', there, 'up');
  return `${subnet}.1`;
}

async function untilSome(look: () => Promise<string>): Promise<string> {
  for (const until = Date.now() + READY_MS; Date.now() < until; await sleep(POLL_MS)) {
    const found = await look();
    if (found !== '') return found;
  }
  throw new Error('It did not come in time');
}

function program(name: string): string {
  const found = findProgram(name);
  if (found === undefined) throw new Error(`There is no program ${name}`);
  return found;
}
