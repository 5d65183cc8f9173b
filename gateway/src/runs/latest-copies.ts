import { type Lake, latestKeys, type Manifest, type ManifestEntry } from '@ingesta/kit';
import { forEachOf } from './for-each-of';

/** Metadata of a copy: the key of what it is a copy of. */
const SOURCE_METADATA = 'ingesta-source';
const PARALLEL = 4;
/** Tables that a warning names. */
const NAMED = 5;

export interface LatestCopies {
  lake: Lake;
  /** The published snapshot. */
  manifest: Manifest;
  /** `LATEST_TEMPLATE`. */
  template: string;
  /** Throws where this gateway may write no more: the lease is lost, or the run was told to end. */
  mayWrite: () => Promise<void>;
  signal: AbortSignal;
}

/**
 * Brings the stable copy of every table to the published snapshot, where it is not there yet: also those that an earlier
 * run could not copy. Never throws; answers with what to warn of, nothing where all went well.
 */
export async function renewLatestCopies(copies: LatestCopies): Promise<string[]> {
  const { manifest, template } = copies;
  const entries = Object.entries(manifest.tables);
  const failed = new Map<string, unknown>();
  const keys = latestKeys(template, manifest.database, new Map(entries.map(([table, entry]) => [table, isGz(entry)])));
  await forEachOf(
    entries,
    async ([table, entry]) => {
      await renew(copies, entry, keys.get(table)!).catch((error: unknown) => failed.set(table, error));
    },
    PARALLEL,
  );
  const [first] = failed.values();
  if (first === undefined) return [];
  const names = entries.map(([table]) => table).filter((table) => failed.has(table));
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  const told = `${names.slice(0, NAMED).join(', ')}${more}`;
  return [
    `The copies at LATEST_TEMPLATE are not up to date for ${told}; the next run tries again (${(first as Error).message})`,
  ];
}

async function renew({ lake, mayWrite, signal }: LatestCopies, entry: ManifestEntry, to: string): Promise<void> {
  await mayWrite();
  const there = await lake.head(to);
  if (there?.bytes === entry.bytes && there.metadata?.[SOURCE_METADATA] === entry.key) return;
  const contentType = isGz(entry) ? 'application/gzip' : 'text/csv; charset=utf-8';
  await lake.copy(entry, to, { contentType, metadata: { [SOURCE_METADATA]: entry.key }, signal });
}

const isGz = ({ key }: ManifestEntry): boolean => key.endsWith('.gz');
