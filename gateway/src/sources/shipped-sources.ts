import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RESERVED_SOURCE_NAMES, SOURCE_NAME, type SourceDescription, sourceDescriptionSchema } from '@ingesta/kit';
import { ApiError } from '../errors';

/**
 * The sources that lie in a folder as `<name>/source.json`: the repository's `scripts/`, or its copy of descriptions in
 * the gateway's image. Read at every call: a folder added later counts.
 */
export class ShippedSources {
  constructor(readonly folder: string | null) {}

  names(): string[] {
    if (this.folder === null || !existsSync(this.folder)) return [];
    return readdirSync(this.folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && this.#file(entry.name) !== null)
      .map((entry) => entry.name)
      .sort();
  }

  /** The description of a source, or null when there is no such folder. Throws `SOURCE_CONFIG` where it is malformed. */
  get(name: string): SourceDescription | null {
    const file = this.#file(name);
    if (file === null) return null;
    try {
      return sourceDescriptionSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch (error) {
      const { issues } = error as { issues?: { path: PropertyKey[]; message: string }[] };
      const said = issues?.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') ?? 'it is not JSON';
      throw new ApiError('SOURCE_CONFIG', `${name}/source.json is malformed: ${said}`, {
        hint: 'Correct it; docs/writing-a-source.md describes every field.',
        database: name,
        cause: error,
      });
    }
  }

  /** What people call the source; its name where `source.json` does not tell. */
  title(name: string): string {
    try {
      return this.get(name)?.title ?? name;
    } catch {
      return name; // A list shows the folder; launching it says what is wrong.
    }
  }

  #file(name: string): string | null {
    // The name may come from a request: checked before it becomes a path.
    if (this.folder === null || !SOURCE_NAME.test(name) || RESERVED_SOURCE_NAMES.includes(name)) return null;
    const file = join(this.folder, name, 'source.json');
    return existsSync(file) ? file : null;
  }
}
