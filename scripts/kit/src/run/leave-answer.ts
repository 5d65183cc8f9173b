import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../contract/job';
import type { ScriptOutput } from '../contract/result';
import { createRecord } from '../lake/create-record';
import { runKeys } from '../lake/keys';
import { isLakeFailure } from '../lake/lake';
import { openLake } from '../lake/open-lake';
import type { Report } from './reporter';

/** It is the only answer that anybody reads: worth waiting for a lake that is back in a moment. */
const LEAVE_MS = 60_000;
/** A lake that does not answer must not hold a script that was told to stop. */
const STOPPED_LEAVE_MS = 3_000;

/**
 * Leaves what goes to stdout in the lake as well, for whoever started the script where stdout leads nowhere: failures and
 * plans, too. A result lies there already. Never rejects: the exit code tells the rest. The process is to end after it:
 * a write that took too long goes on unheard.
 */
export async function leaveAnswer(job: Job, document: ScriptOutput, report: Report, stop: AbortSignal): Promise<void> {
  try {
    await Promise.race([put(job, document), tooLate(stop)]);
  } catch (error) {
    report({ event: 'log', level: 'warn', message: `The answer could not be left in the lake: ${error}` });
  }
}

/** Rejects when there is no more time. */
async function tooLate(stop: AbortSignal): Promise<never> {
  const limit = await sleep(LEAVE_MS, LEAVE_MS, { signal: stop }).catch(() =>
    sleep(STOPPED_LEAVE_MS, STOPPED_LEAVE_MS),
  );
  throw new Error(`no answer within ${limit / 1000} s`);
}

async function put(job: Job, document: ScriptOutput): Promise<void> {
  const lake = await openLake(job.env);
  try {
    const body = Buffer.from(JSON.stringify(document));
    await createRecord(lake, runKeys(job.database, job.run_id).result(job.attempt), body);
  } catch (error) {
    // What stands there was written before, and counts.
    if (!isLakeFailure(error, 'precondition')) throw error;
  } finally {
    await lake.close();
  }
}
