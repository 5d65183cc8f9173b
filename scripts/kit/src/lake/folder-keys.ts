import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './file-errors';

/**
 * Keys of the files below `folder` that start with `prefix` and come after `after`, in byte order; folders without a match
 * are not read. `base` is where it looks: empty, or with a slash at its end. Throws what readdir(2) says.
 */
export async function* keysBelow(folder: string, prefix: string, after: string, base = ''): AsyncGenerator<string> {
  const entries = await readdir(join(folder, base), { withFileTypes: true }).catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const name of entries
    .filter((entry) => !entry.name.startsWith('.'))
    .map(pathName)
    .sort(byBytes)) {
    const key = base + name;
    if (!name.endsWith('/')) {
      if (key.startsWith(prefix) && byBytes(key, after) > 0) yield key;
    } else if (
      (key.startsWith(prefix) || prefix.startsWith(key)) &&
      (byBytes(key, after) > 0 || after.startsWith(key))
    ) {
      yield* keysBelow(folder, prefix, after, key);
    }
  }
}

/** A folder's name with its slash: `a.csv` sorts before `a/b`, as in S3. */
const pathName = (entry: Dirent): string => (entry.isDirectory() ? `${entry.name}/` : entry.name);

const byBytes = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));
