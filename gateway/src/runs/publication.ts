import {
  createRecord,
  type Lake,
  LakeError,
  type Manifest,
  type ManifestEntry,
  manifestSchema,
  type Pointer,
  pointerKey,
  pointerSchema,
  runKeys,
  type ScriptResult,
  sensitiveRules,
} from '@ingesta/kit';
import { ApiError } from '../errors';
import { type Clock, systemClock } from './clock';
import { readRecord } from './read-record';

/** What readers see of a database: the pointer, its ETag, and the manifest behind it. */
export interface Current {
  pointer: Pointer;
  etag: string;
  manifest: Manifest | null;
}

type Known = (key: string) => Manifest | undefined;

/**
 * The committed snapshot of a database, or null when nothing was ever ingested. Starts at the pointer, never lists.
 * `known` gives a manifest that was read before: none ever changes.
 */
export async function readCurrent(lake: Lake, database: string, known?: Known): Promise<Current | null> {
  const current = await readPointer(lake, database, known);
  if (current !== null) mustBeWhole(database, current);
  return current;
}

/** Throws where the pointer's manifest is gone: what readers see is lost, and no run over some tables can carry it over. */
export function mustBeWhole(database: string, { pointer, manifest }: Current): void {
  if (pointer.manifest === null || manifest !== null) return;
  throw new ApiError('LAKE_UNAVAILABLE', `The snapshot of ${database} is lost: ${pointer.manifest} does not exist`, {
    hint: 'Restore that object, where the bucket keeps versions, or POST without "tables": that makes a new snapshot.',
    database,
  });
}

/** Of the last holder that fenced; 0 where nobody ever did. */
export async function fencedEpoch(lake: Lake, database: string): Promise<number> {
  return (await readRecord(lake, pointerKey(database), pointerSchema))?.record.epoch ?? 0;
}

/** `readCurrent`, but that a manifest which is gone is null, too: enough for who replaces the whole. */
export async function readPointer(
  lake: Lake,
  database: string,
  known: Known = () => undefined,
): Promise<Current | null> {
  const stored = await readRecord(lake, pointerKey(database), pointerSchema);
  if (stored === null) return null;
  const { record: pointer, etag } = stored;
  if (pointer.manifest === null) return { pointer, etag, manifest: null };
  const manifest = known(pointer.manifest) ?? (await readManifest(lake, pointer.manifest));
  return { pointer, etag, manifest };
}

export interface Publication {
  result: ScriptResult;
  imageDigest: string | null;
  /** The pointer as the run's own fence left it; it must still be this one. */
  base: Current;
  /** A run over some tables keeps the other entries of `base`. */
  partial: boolean;
  settings: { add?: string; allow?: string };
}

/** The manifest of a finished run. */
export function composeManifest({ result, imageDigest, base, partial, settings }: Publication): Manifest {
  const rules = sensitiveRules(result.database, settings);
  const own = Object.entries(result.result).map(([table, entry]): [string, ManifestEntry] => [
    table,
    {
      key: entry.key,
      url: entry.url,
      bytes: entry.bytes,
      sha256: entry.sha256,
      rows: entry.registros,
      columns: entry.columns,
      dropped_columns: entry.dropped_columns,
      consistency: result.consistency,
      run_id: result.run_id,
      taken_at: result.taken_at,
      sensitive_rules: rules.id,
    },
  ]);
  const ownNames = new Set(own.map(([table]) => table));
  // What was exported under looser rules must not live on under today's.
  // Keys inside JSON values cannot be seen from here: with other rules such a table must be exported anew.
  const clean = (table: string, entry: ManifestEntry) =>
    entry.columns.every(
      ({ name, logical_type }) =>
        !rules.reason(table, [name]) && (logical_type !== 'json' || entry.sensitive_rules === rules.id),
    );
  const kept = partial
    ? Object.entries(base.manifest?.tables ?? {}).filter(
        ([table, entry]) => !ownNames.has(table) && clean(table, entry),
      )
    : [];
  return {
    version: 1,
    database: result.database,
    run_id: result.run_id,
    parent: base.pointer.manifest,
    taken_at: result.taken_at,
    epoch: base.pointer.epoch,
    consistency: kept.length > 0 ? 'mixed' : result.consistency,
    image_digest: imageDigest,
    tables: Object.fromEntries([...kept, ...own]),
  };
}

/**
 * Makes a verified run visible: manifest first, then one compare-and-swap of the pointer over the ETag of the run's own
 * fence. Throws `LEASE_LOST` when a later holder has fenced meanwhile; readers then go on seeing what they saw.
 */
export async function publish(lake: Lake, publication: Publication, clock: Clock = systemClock): Promise<Manifest> {
  const manifest = composeManifest(publication);
  const { database } = manifest;
  const key = runKeys(database, manifest.run_id).manifest;
  await createRecord(lake, key, Buffer.from(JSON.stringify(manifest)), { pauses: clock });
  const { epoch } = publication.base.pointer;
  const pointer: Pointer = { epoch, manifest: key, updated_at: new Date(clock.wall()).toISOString() };
  const found = await replacePointer(lake, database, pointer, publication.base.etag, clock);
  if (found === 'published') return manifest;
  throw new ApiError('LEASE_LOST', `A later run of ${database} has taken over (epoch ${found} after ${epoch})`);
}

/** The pointer may or may not name the run: nobody may call it failed. Its record stays `running` until somebody can look. */
export class UnclearPublication extends ApiError {
  constructor(cause: LakeError) {
    super('LAKE_UNAVAILABLE', 'The lake was lost while the run was being published; it may have been', {
      hint: 'When the lake answers again, GET /api/ingesta/runs/{run_id} tells what became of it.',
      cause,
    });
  }
}

/** Whether a manifest is the published one or one of its ancestors: then its run succeeded, whoever else says what. */
export async function isPublished(lake: Lake, database: string, manifestKey: string): Promise<boolean> {
  const current = await readCurrent(lake, database);
  const own = await readManifest(lake, manifestKey);
  if (own === null) return false;
  for (let key = current?.pointer.manifest ?? null; key !== null; ) {
    if (key === manifestKey) return true;
    const ancestor = await readManifest(lake, key);
    // Epochs only fall on the way down: below its own there is nothing to find.
    if (ancestor === null || ancestor.epoch < own.epoch) return false;
    key = ancestor.parent;
  }
  return false;
}

/** The manifest under `key`, which a pointer or another manifest names. */
export async function readManifest(lake: Lake, key: string): Promise<Manifest | null> {
  return (await readRecord(lake, key, manifestSchema))?.record ?? null;
}

/** The lake may blink at the last step of a run that took hours. */
const PAUSES_MS = [200, 1000, 3000];

/**
 * Writes the pointer over `etag`: `published`, or the higher epoch that stands there. The answer of a write may be lost
 * while the write happened; what stands in the pointer tells, or the chain behind it, because a successor's fence keeps
 * our manifest. Trying again is safe as long as the pointer is still our fence.
 */
async function replacePointer(
  lake: Lake,
  database: string,
  pointer: Pointer,
  etag: string,
  clock: Clock,
): Promise<'published' | number> {
  const body = Buffer.from(JSON.stringify(pointer));
  for (let attempt = 0; ; attempt += 1) {
    try {
      await lake.putIfMatch(pointerKey(database), body, etag);
      return 'published';
    } catch (error) {
      if (!(error instanceof LakeError)) throw error;
      // Of the first try only: after a lost answer the pointer may be ours, whatever the lake refuses now.
      if (error.kind === 'denied' && attempt === 0) throw error;
      const found = await lookUp(lake, database, pointer, etag).catch(() => 'silence');
      if (found === 'published' || typeof found === 'number') return found;
      const pause = PAUSES_MS[attempt];
      if (pause === undefined) throw new UnclearPublication(error);
      await clock.sleep(pause);
    }
  }
}

/** What became of a write of `mine` over `etag`. */
async function lookUp(
  lake: Lake,
  database: string,
  mine: Pointer,
  etag: string,
): Promise<'published' | 'unchanged' | number> {
  const stored = await readRecord(lake, pointerKey(database), pointerSchema);
  if (stored?.etag === etag) return 'unchanged';
  if (stored?.record.manifest === mine.manifest) return 'published';
  if (mine.manifest !== null && (await isPublished(lake, database, mine.manifest))) return 'published';
  return stored?.record.epoch ?? 0;
}
