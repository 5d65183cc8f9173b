import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';

import { join } from 'node:path';
import { inCache } from '../../../services/cache-folder';
import { findProgram, runCommand } from '../../../services/command';
import { ROOT } from '../../root';

const INSTALL_MS = 600_000;
const SCRIPTS = join(ROOT, 'test/bench/extraction/peers');

/** A Python environment with the pinned packages of one peer. */
export interface Venv {
  readonly python: string;
  /** A program that one of the packages brought. Throws where there is none of that name. */
  program(name: string): Promise<string>;
  /** A file inside of the installed packages that matches. Throws where there is none. */
  file(pattern: RegExp): Promise<string>;
}

/**
 * The environment of `peers/<name>.txt`, made in the user's cache folder on first use. A changed file makes another one.
 * Throws where Python is missing or the packages cannot be installed.
 */
export async function venv(name: string): Promise<Venv> {
  const requirements = join(SCRIPTS, `${name}.txt`);
  const version = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 8);
  const cache = inCache('ingesta-bench');
  const folder = join(cache, `${name}-${version}`);
  const python = join(folder, 'bin/python');
  // Last: an installation that was cut off starts again.
  const complete = join(folder, 'complete');
  if (!existsSync(complete)) {
    const system = findProgram('python3');
    if (!system) throw new Error('Python 3 is not installed');
    await mkdir(cache, { recursive: true });
    await runCommand(system, ['-m', 'venv', '--clear', folder], { timeoutMs: INSTALL_MS });
    const options = ['--quiet', '--requirement', requirements];
    await runCommand(python, ['-m', 'pip', 'install', ...options], { timeoutMs: INSTALL_MS });
    await writeFile(complete, '');
  }
  return {
    python,
    program: async (program) => {
      const path = join(folder, 'bin', program);
      if (!existsSync(path)) throw new Error(`its packages bring no program ${program}`);
      return path;
    },
    file: async (pattern) => {
      const files = await readdir(join(folder, 'lib'), { recursive: true });
      const found = files.find((file) => pattern.test(file));
      if (found === undefined) throw new Error('there is no build of it for this machine');
      return join(folder, 'lib', found);
    },
  };
}

/** The version of a package as `peers/<name>.txt` pins it. */
export async function pinned(name: string, ...packages: string[]): Promise<string> {
  const text = await readFile(join(SCRIPTS, `${name}.txt`), 'utf8');
  return packages
    .map((one) => `${one} ${new RegExp(`^${one}(?:\\[.*\\])?==([^\\s;]+)`, 'm').exec(text)?.[1]}`)
    .join(', ');
}

/** The path of a Python program beside this file's sources. */
export const peerScript = (name: string): string => join(SCRIPTS, name);
