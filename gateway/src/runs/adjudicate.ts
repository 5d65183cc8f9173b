import { type Lake, type RunRecord, runKeys } from '@ingesta/kit';
import { isPublished } from './publication';
import { changeRun, isOver, readRun } from './run-store';

/**
 * Says how a run ended whose gateway did not. Only after its successor has fenced: from then on nobody can publish it
 * any more, and the pointer's chain is the last word. Gives the record that stands then; null if the run never began.
 */
export async function adjudicate(
  lake: Lake,
  database: string,
  runId: string,
  now = new Date(),
): Promise<RunRecord | null> {
  const run = await readRun(lake, database, runId);
  if (run === null || isOver(run.record)) return run?.record ?? null;
  const keys = runKeys(database, runId);
  const end: Partial<RunRecord> = {
    finished_at: now.toISOString(),
    duration_ms: Math.max(0, now.getTime() - Date.parse(run.record.started_at)),
  };
  if (await isPublished(lake, database, keys.manifest)) Object.assign(end, { state: 'succeeded', error: null });
  else if ((await lake.get(keys.cancel)) !== null) Object.assign(end, { state: 'cancelled', error: CANCELLED });
  else Object.assign(end, { state: 'failed', error: LOST });
  return (await changeRun(lake, run, end)).record;
}

const LOST = {
  code: 'LEASE_LOST',
  message: 'The gateway that ran it went away, or lost the lake for too long',
  hint: 'Nothing was published. POST again.',
};
const CANCELLED = {
  code: 'RUN_CANCELLED',
  message: 'The run was cancelled; the gateway that ran it is gone',
  hint: 'Nothing was published. POST again to start over.',
};
