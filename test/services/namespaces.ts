import { aptInstall, canAptInstall } from './apt';
import { findProgram, runCommand } from './command';
import type { ServiceHandle } from './service';

/** How to have namespaces next time. */
export const BRING_NAMESPACES =
  'run the tests as root on Linux, with dockerd, unshare and nsenter (util-linux), and ip (iproute2)';

const PROGRAMS = ['dockerd', 'unshare', 'nsenter', 'ip'];

/** Whether a test may make networks and process trees of its own, in which it starts a second Docker daemon. */
export async function namespacesService(): Promise<ServiceHandle> {
  if (process.getuid?.() !== 0) throw new Error('only root may make namespaces');
  if (!findProgram('ip') && canAptInstall()) await aptInstall('iproute2');
  const absent = PROGRAMS.filter((name) => findProgram(name) === undefined);
  if (absent.length > 0) throw new Error(`not installed: ${absent.join(', ')}`);
  await runCommand(findProgram('unshare')!, ['--net', '--mount', '--pid', '--fork', '--mount-proc', 'true']);
  const env = { INGESTA_TEST_NAMESPACES: '1' };
  return { name: 'namespaces', how: 'root, on Linux', env, stop: async () => undefined };
}
