import { setTimeout as sleep } from 'node:timers/promises';

/** Far above what any machine needs; below the time that a test has. */
const PATIENCE_MS = 60_000;

/**
 * Looks until `holds` says yes, and gives what was seen last, for the test to assert: what others do a moment later
 * (a server that notices a cut connection) takes as long as the machine likes.
 */
export async function settled<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (holds(seen) || performance.now() > end) return seen;
    await sleep(50);
  }
}
