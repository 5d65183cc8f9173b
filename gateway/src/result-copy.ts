import { type Job, type Lake, MAX_RESULT_BYTES, runKeys } from '@ingesta/kit';

/** What a script left in the lake of what it prints; null where it left nothing. Never more than a result may have is read. */
export async function readResultCopy(lake: Lake, job: Job): Promise<Buffer | 'too_long' | null> {
  const key = runKeys(job.database, job.run_id).result(job.attempt);
  const head = await lake.head(key);
  if (head !== null && head.bytes > MAX_RESULT_BYTES) return 'too_long';
  return (head && (await lake.get(key)))?.body ?? null;
}
