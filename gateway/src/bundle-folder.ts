import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The first of these folders that is there: in the repository, or beside the bundle that this becomes a part of. */
export function firstFolder(...names: string[]): string | null {
  return names.map((name) => join(__dirname, name)).find((folder) => existsSync(folder)) ?? null;
}
