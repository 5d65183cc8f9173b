import type { RunRecord } from '@ingesta/kit';
import type { Clock } from './clock';
import { isOver, type OpenRun } from './run-store';

/** How often a follower looks: a holder writes no more often than every two seconds. */
const LOOK_MS = 1_000;
/** A follower that hears nothing for longer thinks that the line is dead. */
const SILENCE_MS = 15_000;

/** A record that changed, or null for "still here". */
export type RunNews = RunRecord | null;

/**
 * The records of a run as they change, from revision `after` on, until it is over; from any gateway, because `look` only reads
 * the run's folder. A lake that does not answer is asked again. Ends when `signal` is aborted. Never throws.
 */
export async function* followRun(
  look: () => Promise<OpenRun | null>,
  after: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<RunNews> {
  let seen = after;
  let spoken = clock.mono();
  while (!signal.aborted) {
    const found = await look().catch(() => null);
    if (found !== null && (found.record.revision > seen || isOver(found.record))) {
      seen = found.record.revision;
      spoken = clock.mono();
      yield found.record;
      if (isOver(found.record)) return;
    } else if (clock.mono() - spoken >= SILENCE_MS) {
      spoken = clock.mono();
      yield null;
    }
    await clock.sleep(LOOK_MS, signal);
  }
}
