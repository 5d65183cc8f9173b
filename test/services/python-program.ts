import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mayInstall } from './attempts';
import { cacheFolder } from './cache-folder';
import { findProgram, isExecutable, runCommand } from './command';

const INSTALL_MS = 900_000;

/** A program of a Python package, and the folder in the user's cache where it is installed. */
export interface PythonProgram {
  readonly folder: string;
  readonly program: string;
  /** As pip wants it, with its version. */
  readonly requirement: string;
}

const home = ({ folder }: PythonProgram): string => cacheFolder(folder);

/** Where it is: from an earlier run, or on the PATH. */
export function installedPython(wanted: PythonProgram): string | undefined {
  const cached = join(home(wanted), 'bin', wanted.program);
  return isExecutable(cached) ? cached : findProgram(wanted.program);
}

/** Installs it into a virtual environment, where the next run finds it; undefined where nothing may be installed. */
export async function installPython(wanted: PythonProgram): Promise<string | undefined> {
  const python = findProgram('python3');
  if (!python || !mayInstall()) return undefined;
  const folder = home(wanted);
  // Its programs name their folder, so it is made in its place. What an interrupted run left there is replaced.
  await mkdir(join(folder, '..'), { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await runCommand(python, ['-m', 'venv', folder], { timeoutMs: INSTALL_MS });
  await runCommand(join(folder, 'bin/pip'), ['install', '-q', wanted.requirement], { timeoutMs: INSTALL_MS });
  return installedPython(wanted);
}
