import { type Lake, type RunRecord, runKeys, runRecordSchema } from '@ingesta/kit';

/** A run record and the ETag it was last written under. */
export interface OpenRun {
  record: RunRecord;
  etag: string;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value));

/** Writes the record of a run that begins. */
export async function openRun(lake: Lake, record: RunRecord): Promise<OpenRun> {
  const { etag } = await lake.putIfAbsent(runKeys(record.database, record.run_id).run, encode(record));
  return { record, etag };
}

/** Moves a run into its terminal state. Terminal states never change: the ETag is that of the running record. */
export async function closeRun(lake: Lake, run: OpenRun, end: Partial<RunRecord>): Promise<RunRecord> {
  const record = runRecordSchema.parse({ ...run.record, ...end });
  await lake.putIfMatch(runKeys(record.database, record.run_id).run, encode(record), run.etag);
  return record;
}
