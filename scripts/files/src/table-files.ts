import type { FoundFile } from './origin';

/** How a file's content is read. */
export type Kind = 'csv' | 'tsv' | 'txt' | 'json-lines';

/** A file that may become a table. */
export interface TableFile {
  file: FoundFile;
  /** Name of the table. */
  name: string;
  kind: Kind;
  gzipped: boolean;
}

const KINDS: Readonly<Record<string, Kind>> = {
  csv: 'csv',
  tsv: 'tsv',
  txt: 'txt',
  jsonl: 'json-lines',
  ndjson: 'json-lines',
};

/** What is known by the name alone; null for a file of another kind. */
export function kindOf(path: string): { kind: Kind; gzipped: boolean } | null {
  const match = /[^/]\.([a-z]+)(\.gz)?$/i.exec(path);
  const ending = match?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(KINDS, ending) ? { kind: KINDS[ending]!, gzipped: match![2] !== undefined } : null;
}

/** Longer and longer names of one file, the last one unlike any other file's. */
const NAMES: ((path: string) => string)[] = [
  (path) => dotted(path).replace(/\.[a-z]+(\.gz)?$/i, ''),
  (path) => dotted(path).replace(/\.gz$/i, ''),
  dotted,
  (path) => path,
];

function dotted(path: string): string {
  return path.replaceAll('/', '.');
}

/** A name for each path: without the extension, and with it (or the path as it is) where two would be called the same. */
export function nameTables(paths: readonly string[]): Map<string, string> {
  const levels = new Map(paths.map((path) => [path, 0]));
  const nameOf = (path: string) => NAMES[levels.get(path)!]!(path);
  for (;;) {
    const byName = new Map<string, string[]>();
    for (const path of paths) byName.set(nameOf(path), [...(byName.get(nameOf(path)) ?? []), path]);
    const clashing = [...byName.values()].filter((same) => same.length > 1).flat();
    if (clashing.length === 0) return new Map(paths.map((path) => [path, nameOf(path)]));
    for (const path of clashing) levels.set(path, Math.min(levels.get(path)! + 1, NAMES.length - 1));
  }
}
