import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository: this code runs bundled as `test/bench/dist/main.js` and, in the tests, from where it stands. */
export const ROOT = above(__dirname);

function above(folder: string): string {
  if (existsSync(join(folder, 'build-images.sh'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('The benchmark was moved out of the repository');
  return above(parent);
}
