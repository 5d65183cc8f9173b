import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { mayInstall } from './attempts';
import { cacheFolder } from './cache-folder';
import { findProgram, isExecutable, runCommand } from './command';

const BUILD_MS = 900_000;

/** A program of a Go module, and the folder in the user's cache where it is built. */
export interface GoProgram {
  readonly folder: string;
  readonly program: string;
  /** As `go get` wants it, with its version. */
  readonly module: string;
  /** The folder in the module, `./cmd`. */
  readonly package: string;
}

const home = ({ folder }: GoProgram): string => cacheFolder(folder);

/** Where an earlier run has built it. */
export function builtGo(wanted: GoProgram): string | undefined {
  const cached = join(home(wanted), wanted.program);
  return isExecutable(cached) ? cached : undefined;
}

/** Where it is: from an earlier run, or on the PATH. */
export const installedGo = (wanted: GoProgram): string | undefined => builtGo(wanted) ?? findProgram(wanted.program);

/** Builds it where the next run finds it; undefined where nothing may be installed. */
export async function installGo(wanted: GoProgram): Promise<string | undefined> {
  const go = findProgram('go');
  if (!go || !mayInstall()) return undefined;
  await mkdir(home(wanted), { recursive: true });
  const options = { env: { ...process.env, CGO_ENABLED: '0' }, timeoutMs: BUILD_MS };
  // Not `go install`, which refuses modules that exclude versions of others.
  const { Dir: cwd } = JSON.parse(await runCommand(go, ['mod', 'download', '-json', wanted.module], options));
  const fresh = `${join(home(wanted), wanted.program)}.${process.pid}`;
  await runCommand(go, ['build', '-ldflags', '-s -w', '-o', fresh, wanted.package], { ...options, cwd });
  await rename(fresh, join(home(wanted), wanted.program));
  return builtGo(wanted);
}
