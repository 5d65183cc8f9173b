import { aptInstall, canAptInstall } from './apt';
import { firstThatStarts } from './attempts';
import { findProgram, runCommand } from './command';
import type { ServiceHandle } from './service';

/** How to have nginx next time. */
export const BRING_NGINX =
  'install nginx (apt-get install nginx-light); or, as root on a Debian, INGESTA_TEST_INSTALL=1';

/** How to have HAProxy next time. */
export const BRING_HAPROXY = 'install haproxy; or, as root on a Debian, INGESTA_TEST_INSTALL=1';

/** How to have promtool next time. */
export const BRING_PROMTOOL = 'install prometheus; or, as root on a Debian, INGESTA_TEST_INSTALL=1';

/** The program that tests start in front of their gateways. */
export const nginxService = () => programService('nginx', 'nginx-light');

/** The program that tests start between their gateways and Docker's socket. */
export const haproxyService = () => programService('haproxy', 'haproxy');

/** The program that computes Prometheus' expressions over series that a test makes up. */
export const promtoolService = () => programService('promtool', 'prometheus', '--version');

type ProgramName = 'nginx' | 'haproxy' | 'promtool';

function programService(name: ProgramName, debianPackage: string, version = '-v'): Promise<ServiceHandle> {
  return firstThatStarts(name, [
    { from: 'installed', start: () => found(name, version) },
    {
      from: 'install',
      start: async () => {
        if (!canAptInstall()) return undefined;
        await aptInstall(debianPackage);
        return found(name, version);
      },
    },
  ]);
}

async function found(name: ProgramName, option: string): Promise<ServiceHandle | undefined> {
  const program = findProgram(name);
  if (!program) return undefined;
  // nginx tells its version on stderr; the others tell more than that.
  const [version] = (await runCommand('sh', ['-c', `"${program}" ${option} 2>&1`])).trim().split('\n');
  const how = `${version!.replace(/nginx version: | \(branch.*/g, '')}, installed program ${program}`;
  return { name, how, env: { [`INGESTA_TEST_${name.toUpperCase()}`]: program }, stop: async () => undefined };
}
