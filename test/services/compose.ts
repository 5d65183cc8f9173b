import { firstThatStarts } from './attempts';
import { findProgram, isExecutable, runCommand } from './command';
import { builtGo, type GoProgram, installGo } from './go-program';
import type { ServiceHandle } from './service';

/** How to have it next time. */
export const BRING_COMPOSE =
  'install Docker’s compose plugin; or have Go and set INGESTA_TEST_INSTALL=1 (builds it once: 6 minutes of one core)';

const COMPOSE: GoProgram = {
  folder: 'compose',
  program: 'docker-compose',
  module: 'github.com/docker/compose/v2@v2.40.3',
  package: './cmd',
};

/** Where packages put Docker's plugin, which also works as a program of its own. */
const PLUGINS = ['/usr/libexec/docker', '/usr/lib/docker', '/usr/local/lib/docker', '/usr/local/libexec/docker'];

/** Docker Compose 2: version 1 reads our files by other rules. */
export function composeService(): Promise<ServiceHandle> {
  return firstThatStarts('compose', [
    { from: 'installed', start: () => firstOfVersion2() },
    { from: 'install', start: async () => asService(await installGo(COMPOSE)) },
  ]);
}

async function firstOfVersion2(): Promise<ServiceHandle | undefined> {
  const plugins = PLUGINS.map((folder) => `${folder}/cli-plugins/docker-compose`).filter(isExecutable);
  for (const program of [builtGo(COMPOSE), ...plugins, findProgram('docker-compose')]) {
    const service = await asService(program).catch(() => undefined);
    if (service) return service;
  }
  return undefined;
}

async function asService(program: string | undefined): Promise<ServiceHandle | undefined> {
  if (!program) return undefined;
  const version = (await runCommand(program, ['version', '--short'])).trim();
  // Built from its module it knows no version, and says "dev".
  if (/^v?1\./.test(version)) return undefined;
  const how = `Docker Compose ${version}, installed program ${program}`;
  return { name: 'compose', how, env: { INGESTA_TEST_COMPOSE: program }, stop: async () => undefined };
}
