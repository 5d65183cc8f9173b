import { setTimeout as sleep } from 'node:timers/promises';
import { LakeError } from './lake';
import { CONFLICTS } from './s3-errors';

/** Between one try and the next, in milliseconds. */
const PAUSES = [250, 1_000, 3_000];

/**
 * Sends the write of a whole object, again while S3 says that another write of the same object is under way: that may be
 * our own, whose answer was given up, and tells nothing yet. Throws `unavailable` where it does not end.
 */
export async function pastConflicts<T>(send: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof Error) || !CONFLICTS.has(error.name)) throw error;
      const pause = PAUSES[tries];
      if (pause === undefined) {
        throw new LakeError('unavailable', `S3 is at another write of the same object (${error.name})`, 'Run again.', {
          cause: new Error(`${error.name}: ${error.message}`),
        });
      }
      await sleep(pause);
    }
  }
}
