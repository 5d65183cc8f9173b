import { link, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Lake } from '@ingesta/kit';
import { type Digest, fileDigest, writeWithDigest } from './file-digest';

/** An object of the lake as a file that DuckDB can read. */
export interface LocalCsv {
  /** Of the file. May run beside the conversion. */
  digest(): Promise<Digest>;
  /** That it is the one that was opened, to be asked when all has been read. */
  isUnchanged(): Promise<boolean>;
}

/** Why a file cannot get a second name: another file system, one without links, or somebody else's file. */
const NO_LINK = ['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP', 'ENOSYS', 'EROFS'];

/**
 * Puts an object of the lake at `path`: a second name of the file where the lake is a folder of the same file system, else
 * a copy. (DuckDB may read its own folders only, and looks where symbolic links lead.) Null where there is no such object.
 * Throws `LakeError`.
 */
export async function localCsv(lake: Lake, key: string, path: string): Promise<LocalCsv | null> {
  const url = lake.urlOf(key);
  // Asked of the lake, which knows what a key may be.
  if (url.startsWith('file:') && (await lake.head(key)) === null) return null;
  if (url.startsWith('file:') && (await hasLink(fileURLToPath(url), path))) {
    const before = await mark(path);
    return { digest: () => fileDigest(path), isUnchanged: async () => (await mark(path)) === before };
  }
  const body = await lake.read(key);
  if (body === null) return null;
  const digest = await writeWithDigest(path, body);
  return { digest: async () => digest, isUnchanged: async () => true };
}

async function hasLink(file: string, path: string): Promise<boolean> {
  try {
    await link(file, path);
    return true;
  } catch (error) {
    if (NO_LINK.includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** Two of the same are the same content, as far as a file system can tell. */
async function mark(path: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}
