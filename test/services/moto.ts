import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstThatStarts, mayInstall } from './attempts';
import { cacheFolder } from './cache-folder';
import { findProgram, isExecutable, runCommand } from './command';
import { freePort, startServer } from './server-process';
import type { ServiceHandle } from './service';

/** How to have the stand-in next time. */
export const BRING_MOTO = 'have Python 3 with venv and set INGESTA_TEST_INSTALL=1, or INGESTA_TEST_MOTO_ENDPOINT';

/** A stand-in for AWS's APIs: its Glue is one that Trino reads; its Athena gives the rows that it was told to give. */
const VERSION = '5.2.5';
/** Not `moto[server]`: that brings 150 MB for services which nobody asks here. */
const PACKAGES = [`moto[athena,glue]==${VERSION}`, 'flask', 'flask-cors'];
const INSTALL_MS = 600_000;
const READY_MS = 60_000;

/** Moto, from the first place that has it. */
export function startMoto(): Promise<ServiceHandle> {
  return firstThatStarts('moto', [
    { from: 'given', start: async () => given() },
    { from: 'installed', start: () => startFrom(installed()) },
    { from: 'install', start: async () => startFrom(await install()) },
  ]);
}

function given(): ServiceHandle | undefined {
  const { INGESTA_TEST_MOTO_ENDPOINT: endpoint } = process.env;
  if (!endpoint) return undefined;
  return { name: 'moto', how: 'given by env INGESTA_TEST_MOTO_ENDPOINT', env: {}, stop: async () => undefined };
}

const home = (): string => join(cacheFolder('moto'), VERSION);

/** Written last: without it an installation was interrupted. */
const whole = (): string => join(home(), 'whole');

function installed(): string | undefined {
  const cached = join(home(), 'bin/moto_server');
  return isExecutable(cached) && existsSync(whole()) ? cached : findProgram('moto_server');
}

/** Installs it into a virtual environment in the user's cache folder, where the next run finds it. */
async function install(): Promise<string | undefined> {
  const python = findProgram('python3');
  if (!python || !mayInstall()) return undefined;
  // Its programs name their folder, so it is made in its place. What an interrupted run left there is replaced.
  await mkdir(join(home(), '..'), { recursive: true });
  await rm(home(), { recursive: true, force: true });
  await runCommand(python, ['-m', 'venv', home()], { timeoutMs: INSTALL_MS });
  await runCommand(join(home(), 'bin/pip'), ['install', '-q', '--no-compile', ...PACKAGES], {
    timeoutMs: INSTALL_MS,
  });
  await writeFile(whole(), '');
  return installed();
}

async function startFrom(program: string | undefined): Promise<ServiceHandle | undefined> {
  if (!program) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-moto-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}`;
    const server = await startServer(
      {
        command: program,
        args: ['-H', '127.0.0.1', '-p', String(port)],
        cwd: folder,
        logFile: join(folder, 'moto.log'),
        readyWithinMs: READY_MS,
      },
      () => fetch(endpoint),
    );
    return {
      name: 'moto',
      how: `moto, installed program ${program}`,
      env: { INGESTA_TEST_MOTO_ENDPOINT: endpoint },
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
