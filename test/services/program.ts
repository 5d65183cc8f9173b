import { aptInstall, canAptInstall } from './apt';
import { firstThatStarts } from './attempts';
import { findProgram, runCommand } from './command';
import type { ServiceHandle } from './service';

/** How to have nginx next time. */
export const BRING_NGINX =
  'install nginx (apt-get install nginx-light); or, as root on a Debian, INGESTA_TEST_INSTALL=1';
/** How to have a Docker daemon of the tests' own next time. */
export const BRING_DOCKERD =
  'run as root on Linux with dockerd installed (apt-get install docker.io); or, on a Debian, INGESTA_TEST_INSTALL=1';

/** The program that tests start in front of their gateways. */
export function nginxService(): Promise<ServiceHandle> {
  return firstThatStarts('nginx', [
    { from: 'installed', start: nginx },
    {
      from: 'install',
      start: async () => {
        if (!canAptInstall()) return undefined;
        await aptInstall('nginx-light');
        return nginx();
      },
    },
  ]);
}

/** The program from which a test starts a Docker daemon of its own, one that it may kill. Needs the engine's images. */
export async function dockerdService(): Promise<ServiceHandle> {
  const program = findProgram('dockerd');
  if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new Error('not root on Linux');
  if (!program) throw new Error('not installed');
  const how = `${(await runCommand(program, ['--version'])).trim()}, installed program ${program}`;
  return { name: 'dockerd', how, env: { INGESTA_TEST_DOCKERD: program }, stop: async () => undefined };
}

async function nginx(): Promise<ServiceHandle | undefined> {
  const program = findProgram('nginx');
  if (!program) return undefined;
  // It tells its version on stderr.
  const version = await runCommand('sh', ['-c', `"${program}" -v 2>&1`]);
  const how = `${version.trim().replace('nginx version: ', '')}, installed program ${program}`;
  return { name: 'nginx', how, env: { INGESTA_TEST_NGINX: program }, stop: async () => undefined };
}
