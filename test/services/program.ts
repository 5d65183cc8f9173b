import { aptInstall, canAptInstall } from './apt';
import { firstThatStarts } from './attempts';
import { findProgram, runCommand } from './command';
import type { ServiceHandle } from './service';

/** How to have nginx next time. */
export const BRING_NGINX =
  'install nginx (apt-get install nginx-light); or, as root on a Debian, INGESTA_TEST_INSTALL=1';

/** How to have HAProxy next time. */
export const BRING_HAPROXY = 'install haproxy; or, as root on a Debian, INGESTA_TEST_INSTALL=1';

/** The program that tests start in front of their gateways. */
export const nginxService = () => programService('nginx', 'nginx-light');

/** The program that tests start between their gateways and Docker's socket. */
export const haproxyService = () => programService('haproxy', 'haproxy');

function programService(name: 'nginx' | 'haproxy', debianPackage: string): Promise<ServiceHandle> {
  return firstThatStarts(name, [
    { from: 'installed', start: () => found(name) },
    {
      from: 'install',
      start: async () => {
        if (!canAptInstall()) return undefined;
        await aptInstall(debianPackage);
        return found(name);
      },
    },
  ]);
}

async function found(name: 'nginx' | 'haproxy'): Promise<ServiceHandle | undefined> {
  const program = findProgram(name);
  if (!program) return undefined;
  // nginx tells its version on stderr; HAProxy tells more than that.
  const [version] = (await runCommand('sh', ['-c', `"${program}" -v 2>&1`])).trim().split('\n');
  const how = `${version!.replace('nginx version: ', '')}, installed program ${program}`;
  return { name, how, env: { [`INGESTA_TEST_${name.toUpperCase()}`]: program }, stop: async () => undefined };
}
