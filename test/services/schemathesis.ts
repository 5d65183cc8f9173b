import { firstThatStarts } from './attempts';
import { runCommand } from './command';
import { installedPython, installPython, type PythonProgram } from './python-program';
import type { ServiceHandle } from './service';

/** How to have it next time. */
export const BRING_SCHEMATHESIS = 'have Python 3 with venv and set INGESTA_TEST_INSTALL=1';

const SCHEMATHESIS: PythonProgram = {
  folder: 'schemathesis',
  program: 'schemathesis',
  requirement: 'schemathesis==4.32.5',
};

/** The program that makes requests from an OpenAPI document, and judges the answers by it. */
export function schemathesisService(): Promise<ServiceHandle> {
  return firstThatStarts('schemathesis', [
    { from: 'installed', start: () => found(installedPython(SCHEMATHESIS)) },
    { from: 'install', start: async () => found(await installPython(SCHEMATHESIS)) },
  ]);
}

async function found(program: string | undefined): Promise<ServiceHandle | undefined> {
  if (!program) return undefined;
  const version = (await runCommand(program, ['--version'])).trim();
  const how = `${version}, installed program ${program}`;
  return { name: 'schemathesis', how, env: { INGESTA_TEST_SCHEMATHESIS: program }, stop: async () => undefined };
}
