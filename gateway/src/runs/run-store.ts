import {
  createRecord,
  type Lake,
  LakeError,
  RUN_ID,
  type RunRecord,
  runKeys,
  runMarkerKey,
  runRecordSchema,
} from '@ingesta/kit';
import { type Clock, systemClock } from './clock';
import { readRecord } from './read-record';

/** A run record and the ETag it was last read or written under. */
export interface OpenRun {
  readonly record: RunRecord;
  readonly etag: string;
}

/** Pauses between the tries of a write. */
const PAUSES_MS = [200, 1000, 3000];

const encode = (value: unknown) => Buffer.from(JSON.stringify(value));

export const isOver = ({ state }: RunRecord): boolean => state !== 'running';

/** Writes the record of a run that begins, and before it the marker under which lists find it. */
export async function openRun(lake: Lake, record: RunRecord): Promise<OpenRun> {
  const { database, run_id, started_at } = record;
  const marker = encode({ run_id, database, started_at });
  await createRecord(lake, runMarkerKey(run_id, database), marker);
  const { etag } = await createRecord(lake, runKeys(database, run_id).run, encode(record));
  return { record, etag };
}

export async function readRun(lake: Lake, database: string, runId: string): Promise<OpenRun | null> {
  return readRecord(lake, runKeys(database, runId).run, runRecordSchema);
}

/** A run of which only the id is known; null if there is none. One listing of at most one key finds its database. */
export async function findRun(lake: Lake, runId: string): Promise<OpenRun | null> {
  if (!RUN_ID.test(runId)) return null;
  const prefix = runMarkerKey(runId);
  for await (const { key } of lake.list(prefix)) {
    return readRun(lake, key.slice(prefix.length, -'.json'.length), runId);
  }
  return null;
}

/**
 * Changes a run record by compare-and-swap and gives what stands there afterwards. Terminal states never change: where
 * somebody else has closed the run, it is their record that comes back. Throws `LakeError` after some tries.
 */
export async function changeRun(
  lake: Lake,
  run: OpenRun,
  change: Partial<RunRecord>,
  clock: Clock = systemClock,
): Promise<OpenRun> {
  let base = run;
  for (let attempt = 0; !isOver(base.record); attempt += 1) {
    const record = runRecordSchema.parse({ ...base.record, ...change, revision: base.record.revision + 1 });
    const body = encode(record);
    try {
      const { etag } = await lake.putIfMatch(runKeys(record.database, record.run_id).run, body, base.etag);
      return { record, etag };
    } catch (error) {
      if (!(error instanceof LakeError) || error.kind === 'denied') throw error;
      // The answer may have been lost, or somebody else wrote: what stands there is what the next try goes on from.
      const found = await readRun(lake, record.database, record.run_id).catch(() => null);
      if (found && encode(found.record).equals(body)) return found;
      base = found ?? base;
      const pause = PAUSES_MS[attempt];
      if (pause === undefined) throw error;
      await clock.sleep(pause);
    }
  }
  return base;
}
