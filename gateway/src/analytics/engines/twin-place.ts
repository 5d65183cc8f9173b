import { type Lake, type ManifestEntry, type ObjectHead, parquetKeys } from '@ingesta/kit';
import { type Twin, twinOf } from './twin';

/** Where the twin of an entry is, or is to be put. */
export interface TwinPlace {
  key: string;
  /** What lies there. */
  head: ObjectHead | null;
  /** The same as the twin that it is; null where it is none. */
  twin: Twin | null;
}

/**
 * Looks for the twin of an entry. Where something else lies in its place, say the twin that an earlier version of the
 * gateway made with other types or otherwise, which somebody may be reading, the place is another one; where that is
 * taken as well, it is the one of the two that was written longest ago. Throws `LakeError`.
 */
export async function twinPlace(
  lake: Pick<Lake, 'head'>,
  database: string,
  table: string,
  entry: ManifestEntry,
): Promise<TwinPlace> {
  const taken: { key: string; head: ObjectHead; twin: null }[] = [];
  for (const key of parquetKeys(database, table, entry.run_id)) {
    const head = await lake.head(key);
    const twin = head && twinOf(entry, head);
    if (head === null || twin !== null) return { key, head, twin };
    taken.push({ key, head, twin });
  }
  return taken.reduce((oldest, place) => (place.head.modified < oldest.head.modified ? place : oldest));
}
