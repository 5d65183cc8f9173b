import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isMissing, isTaken } from './file-errors';

/**
 * Makes a folder and those above it; one that is there is left as it is. Unlike Node's own `recursive`, it ends also below
 * /proc, where a folder can be missing although the one above it is there. Throws what mkdir(2) says.
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  const make = () =>
    mkdir(path, mode).catch((error) => {
      if (!isTaken(error)) throw error;
    });
  try {
    await make();
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error;
    await makeFolder(dirname(path), mode);
    await make();
  }
}
