import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder';
import { runCommand } from './command';

const PACKAGE = 'mongosh@2.12.0';
const INSTALL_MS = 300_000;

/** MongoDB's own shell, for a container to mount: the folder of its packages in the user's cache, where npm puts them once. */
export async function mongoshFolder(): Promise<string> {
  const cache = cacheFolder('mongosh');
  const folder = join(cache, PACKAGE);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, 'fetch-'));
  try {
    const options = ['--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', '--prefix', fresh];
    await runCommand('npm', ['install', ...options, PACKAGE], { timeoutMs: INSTALL_MS });
    await rename(fresh, folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return folder;
}
