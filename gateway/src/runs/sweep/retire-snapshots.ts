import { databaseOf, type Lake, LakeError, type Manifest, POINTERS, parquetKeys, sweepKeys } from '@ingesta/kit';
import type { Log } from '../../log';
import { forEachOf } from '../for-each-of';
import { readCurrent, readManifest } from '../publication';
import { readRun } from '../run-store';
import { retire, type Snapshot } from './retirement';
import { SweepRecord } from './sweep-record';

export interface Retention {
  /** Snapshots of each database that stay. */
  keep: number;
  graceMs: number;
  /** Ms since 1970. */
  now: number;
  log: Log;
}

/**
 * Removes the objects of snapshots beyond the newest `keep` of each database, found through pointers and manifests alone.
 * Manifests and records stay: they tell what became of each run. Throws `LakeError`.
 */
export async function retireSnapshots(lake: Lake, retention: Retention): Promise<void> {
  for await (const { key } of lake.list(POINTERS)) {
    const database = databaseOf(key);
    try {
      await retireOf(lake, database, retention);
    } catch (error) {
      if (error instanceof LakeError) throw error;
      const cause = (error as Error).message;
      retention.log.warn('the old snapshots of a database stay: its records cannot be read', { database, cause });
    }
  }
}

async function retireOf(lake: Lake, database: string, { keep, graceMs, now, log }: Retention): Promise<void> {
  const record = new SweepRecord(lake, sweepKeys.snapshots(database));
  const done = await record.read();
  const chain = await chainOf(lake, database, keep, done);
  const { objects, newest } = retire(chain, keep, now, graceMs);
  if (newest === null) return;
  await forEachOf(objects, (key) => lake.delete(key));
  await record.write(newest, new Date(now));
  log.info('removed old snapshots', { database, objects: objects.length, up_to: newest });
}

/** The snapshots from the pointer down to `done`, which has retired already. */
async function chainOf(lake: Lake, database: string, keep: number, done: string | null): Promise<Snapshot[]> {
  const current = await readCurrent(lake, database);
  const chain: Snapshot[] = [];
  let manifest = current?.manifest ?? null;
  let key = current?.pointer.manifest ?? null;
  let successor: Manifest | null = null;
  while (manifest !== null && key !== null && key !== done) {
    // Those that stay in any case need no time.
    const supersededAt = successor !== null && chain.length >= keep ? await publishedAt(lake, successor) : null;
    chain.push({ manifest: key, objects: objectsOf(manifest), supersededAt });
    successor = manifest;
    key = manifest.parent;
    manifest = key === null || key === done ? null : await readManifest(lake, key);
  }
  return chain;
}

/** Every object of a snapshot, with the places of its columnar twin, which may not be there. */
const objectsOf = ({ database, tables }: Manifest): string[] =>
  Object.entries(tables).flatMap(([table, { key, run_id }]) => [key, ...parquetKeys(database, table, run_id)]);

async function publishedAt(lake: Lake, { database, run_id }: Manifest): Promise<number | null> {
  const finished = (await readRun(lake, database, run_id))?.record.finished_at;
  return finished ? Date.parse(finished) : null;
}
