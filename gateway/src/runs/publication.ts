import { setTimeout as sleep } from 'node:timers/promises';
import {
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

/** What readers see of a database: the pointer, its ETag, and the manifest behind it. */
export interface Current {
  pointer: Pointer;
  etag: string;
  manifest: Manifest | null;
}

/** The committed snapshot of a database, or null when nothing was ever ingested. Starts at the pointer, never lists. */
export async function readCurrent(lake: Lake, database: string): Promise<Current | null> {
  const stored = await lake.get(pointerKey(database));
  if (stored === null) return null;
  const pointer = pointerSchema.parse(JSON.parse(stored.body.toString('utf8')));
  if (pointer.manifest === null) return { pointer, etag: stored.etag, manifest: null };
  const body = await lake.get(pointer.manifest);
  if (body === null) throw new Error(`The pointer of ${database} names ${pointer.manifest}, which does not exist`);
  return { pointer, etag: stored.etag, manifest: manifestSchema.parse(JSON.parse(body.body.toString('utf8'))) };
}

export interface Publication {
  result: ScriptResult;
  imageDigest: string | null;
  /** What was current when the run began; the pointer must still be this one. */
  base: Current | null;
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
    ? Object.entries(base?.manifest?.tables ?? {}).filter(
        ([table, entry]) => !ownNames.has(table) && clean(table, entry),
      )
    : [];
  return {
    version: 1,
    database: result.database,
    run_id: result.run_id,
    parent: base?.pointer.manifest ?? null,
    taken_at: result.taken_at,
    consistency: kept.length > 0 ? 'mixed' : result.consistency,
    image_digest: imageDigest,
    tables: Object.fromEntries([...kept, ...own]),
  };
}

/**
 * Makes a verified run visible: manifest first, then one compare-and-swap of the pointer. Throws `LEASE_LOST` when
 * another run was published since this one began; readers then go on seeing that one.
 */
export async function publish(lake: Lake, publication: Publication, now = new Date()): Promise<Manifest> {
  const manifest = composeManifest(publication);
  const { base } = publication;
  const manifestKey = runKeys(manifest.database, manifest.run_id).manifest;
  await lake.putIfAbsent(manifestKey, Buffer.from(JSON.stringify(manifest)));

  const pointer: Pointer = {
    epoch: (base?.pointer.epoch ?? 0) + 1,
    manifest: manifestKey,
    updated_at: now.toISOString(),
  };
  const body = Buffer.from(JSON.stringify(pointer));
  const replaced = await replacePointer(lake, pointerKey(manifest.database), body, base?.etag ?? null);
  if (!replaced) throw new ApiError('LEASE_LOST', `Another run of ${manifest.database} was published meanwhile`);
  return manifest;
}

/** The pointer may or may not name the run: nobody may call it failed. Its record stays `running` until somebody can look. */
export class UnclearPublication extends ApiError {
  constructor(cause: LakeError) {
    super('LAKE_UNAVAILABLE', 'The lake was lost while the run was being published; it may have been', {
      hint: 'When the lake answers again, GET /api/ingesta shows the last committed run; POST again if it is not this one.',
      cause,
    });
  }
}

/** The lake may blink at the last step of a run that took hours. */
const PAUSES_MS = [200, 1000, 3000];

/**
 * Writes the pointer unless somebody else did since `etag`: false then. The answer of a write may be lost while the
 * write happened; what stands in the pointer tells. Trying again is safe as long as it is still the old one.
 */
async function replacePointer(lake: Lake, key: string, body: Buffer, etag: string | null): Promise<boolean> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await (etag === null ? lake.putIfAbsent(key, body) : lake.putIfMatch(key, body, etag));
      return true;
    } catch (error) {
      if (!(error instanceof LakeError) || error.kind === 'denied') throw error;
      const stored = await lake.get(key).catch(() => undefined);
      if (stored !== undefined) {
        if (stored?.body.equals(body)) return true;
        if ((stored?.etag ?? null) !== etag) return false;
      }
      const pause = PAUSES_MS[attempt];
      if (pause === undefined) throw new UnclearPublication(error);
      await sleep(pause);
    }
  }
}
