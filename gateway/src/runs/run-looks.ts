import type { Lake, RunRecord } from '@ingesta/kit';
import { type Clock, systemClock } from './clock';
import { type OpenRun, readRun } from './run-store';

/** How old a look may be: a holder writes no more often than every two seconds. */
const FRESH_MS = 1_000;

interface Look {
  at: number;
  found: Promise<OpenRun | null>;
}

/** Looks at runs for all who follow them: the lake is asked once a second for each run, however many follow it. */
export class RunLooks {
  /** Oldest first. */
  readonly #looks = new Map<string, Look>();

  constructor(private readonly clock: Pick<Clock, 'mono'> = systemClock) {}

  /** The run's record, at most a second old; the same object for all who share a look. Rejects with what the lake throws. */
  read(lake: Lake, { database, run_id }: Pick<RunRecord, 'database' | 'run_id'>): Promise<OpenRun | null> {
    const now = this.clock.mono();
    for (const [id, { at }] of this.#looks) {
      if (now - at < FRESH_MS) break;
      this.#looks.delete(id);
    }
    const fresh = this.#looks.get(run_id);
    if (fresh !== undefined) return fresh.found;
    const found = readRun(lake, database, run_id);
    this.#looks.set(run_id, { at: now, found });
    return found;
  }
}
