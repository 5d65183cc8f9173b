import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../contract/job';
import type { ScriptOutput } from '../contract/result';
import { runKeys } from '../lake/keys';
import { isLakeFailure } from '../lake/lake';
import { openLake } from '../lake/open-lake';
import type { Report } from './reporter';

/** A lake that does not answer must not hold a script that was told to stop. */
const LEAVE_MS = 3_000;

/**
 * Leaves what goes to stdout in the lake as well, for whoever started the script where stdout leads nowhere: failures and
 * plans, too. A result lies there already. Never rejects: the exit code tells the rest.
 */
export async function leaveAnswer(job: Job, document: ScriptOutput, report: Report): Promise<void> {
  try {
    await Promise.race([put(job, document), sleep(LEAVE_MS)]);
  } catch (error) {
    report({ event: 'log', level: 'warn', message: `The answer could not be left in the lake: ${error}` });
  }
}

async function put(job: Job, document: ScriptOutput): Promise<void> {
  const lake = await openLake(job.env);
  try {
    await lake.putIfAbsent(
      runKeys(job.database, job.run_id).result(job.attempt),
      Buffer.from(JSON.stringify(document)),
    );
  } catch (error) {
    // What stands there was written before, and counts.
    if (!isLakeFailure(error, 'precondition')) throw error;
  } finally {
    await lake.close();
  }
}
