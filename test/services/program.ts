import { aptInstall, canAptInstall } from './apt';
import { firstThatStarts } from './attempts';
import { findProgram, runCommand } from './command';
import type { ServiceHandle } from './service';

/** How to have nginx next time. */
export const BRING_NGINX =
  'install nginx (apt-get install nginx-light); or, as root on a Debian, INGESTA_TEST_INSTALL=1';

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

async function nginx(): Promise<ServiceHandle | undefined> {
  const program = findProgram('nginx');
  if (!program) return undefined;
  // It tells its version on stderr.
  const version = await runCommand('sh', ['-c', `"${program}" -v 2>&1`]);
  const how = `${version.trim().replace('nginx version: ', '')}, installed program ${program}`;
  return { name: 'nginx', how, env: { INGESTA_TEST_NGINX: program }, stop: async () => undefined };
}
