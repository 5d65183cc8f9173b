import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptInstall, canAptInstall } from './apt';
import { firstThatStarts } from './attempts';
import { findProgram, runCommand } from './command';
import { startServer } from './server-process';
import type { ServiceHandle } from './service';

/** How to have it next time. */
export const BRING_PODMAN = 'be root, and install podman and runc; or, on a Debian, INGESTA_TEST_INSTALL=1';

const READY_MS = 180_000;

/** The API of a rootful Podman with images and containers of its own, so that nobody's are touched. */
export function startPodman(): Promise<ServiceHandle> {
  return firstThatStarts('podman', [
    { from: 'installed', start },
    {
      from: 'install',
      start: async () => {
        if (!canAptInstall()) return undefined;
        await aptInstall('podman', 'runc', 'containernetworking-plugins', 'catatonit');
        return start();
      },
    },
  ]);
}

async function start(): Promise<ServiceHandle | undefined> {
  const program = findProgram('podman');
  // Debian's crun knows no machine with both kinds of cgroups.
  if (!program || !findProgram('runc') || process.getuid?.() !== 0) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-podman-'));
  const settings = join(folder, 'containers.conf');
  // For machines without systemd, and with low limits of their own.
  await writeFile(
    settings,
    '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\nruntime="runc"\n[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=4096:4096"]\n',
  );
  const socket = join(folder, 'podman.sock');
  const store = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const env = { ...process.env, CONTAINERS_CONF: settings };
  const ask = (...args: string[]) => runCommand(program, [...store, ...args], { env });
  const remove = async () => {
    await ask('rm', '--all', '--force', '--time', '0').catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const server = await startServer(
      {
        command: program,
        args: [...store, 'system', 'service', '--time', '0', `unix://${socket}`],
        cwd: folder,
        logFile: join(folder, 'podman.log'),
        env,
        readyWithinMs: READY_MS,
      },
      () => runCommand(program, ['--remote', '--url', `unix://${socket}`, 'version'], { env }),
    );
    return {
      name: 'podman',
      how: `${(await ask('--version')).trim()}, rootful, installed program ${program}`,
      env: { INGESTA_TEST_PODMAN: `unix://${socket}` },
      stop: async () => {
        await server.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
