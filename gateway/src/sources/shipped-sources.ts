import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RESERVED_SOURCE_NAMES, SOURCE_NAME, type SourceDescription, sourceDescriptionSchema } from '@ingesta/kit';

/**
 * The sources that lie in a folder as `<name>/source.json`: the repository's `scripts/`, or its copy of descriptions in
 * the gateway's image. Read at every call: a folder added later counts.
 */
export class ShippedSources {
  constructor(readonly folder: string | null) {}

  names(): string[] {
    if (this.folder === null || !existsSync(this.folder)) return [];
    return readdirSync(this.folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && this.get(entry.name) !== null)
      .map((entry) => entry.name)
      .sort();
  }

  /** The description of a source, or null when there is no such folder. Throws where `source.json` is malformed. */
  get(name: string): SourceDescription | null {
    // The name may come from a request: checked before it becomes a path.
    if (this.folder === null || !SOURCE_NAME.test(name) || RESERVED_SOURCE_NAMES.includes(name)) return null;
    const file = join(this.folder, name, 'source.json');
    if (!existsSync(file)) return null;
    const parsed = sourceDescriptionSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success) return parsed.data;
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new Error(`${file}: ${issues}`);
  }
}
