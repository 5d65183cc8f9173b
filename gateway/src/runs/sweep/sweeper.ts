import { isLakeFailure, type Lake, LakeError, parseRunMarker, RUN_MARKERS, runKeys, sweepKeys } from '@ingesta/kit';
import type { Log } from '../../log';
import { type Clock, systemClock } from '../clock';
import { MalformedRecord } from '../read-record';
import { readRun } from '../run-store';
import { retireSnapshots } from './retire-snapshots';
import { cursorAfter, fateOf, isPast, type RunFate } from './run-fate';
import { type ProbeSightings, sweepProbes } from './sweep-probes';
import { SweepRecord } from './sweep-record';
import { sweepRun } from './sweep-run';

/** An idle gateway asks no more often than it must, a busy one soon enough. */
const LONGEST_PAUSE_MS = 10 * 60_000;
/** While the lake refuses what it needs: each try reads records. */
const REFUSED_PAUSE_MS = 60 * 60_000;

export interface SweeperOptions {
  /** What is over, or was replaced, is left alone for so long. */
  graceMs: number;
  /** Snapshots of a database that stay; null for all. */
  keepSnapshots: number | null;
  log: Log;
  clock?: Clock;
}

/**
 * Removes what runs that were never published have left in the lake, what probes left that broke off, and snapshots that nobody wants to keep. Any number of
 * gateways may do it at once, and be stopped in the middle: what one decided to remove stays garbage, for keys are never
 * used again.
 */
export class Sweeper {
  readonly #clock: Clock;
  #busy = false;
  #next = 0;
  /** What was found of the runs above the cursor: none is read or swept twice for the same fate. */
  #known = new Map<string, RunFate>();
  #probes: ProbeSightings = new Map();
  /** Causes that were told: a bad record stays what it is. */
  readonly #told = new Set<string>();

  constructor(private readonly options: SweeperOptions) {
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * The lake refuses what a sweep needs. Said once; asked again now and then, for a role gets its right back, or its
   * credentials, without a restart.
   */
  turnOff(why: string): void {
    this.#tellOnce('info', 'the sweep is off: what failed runs leave stays in the lake', why, { why });
    this.#next = this.#clock.mono() + REFUSED_PAUSE_MS;
  }

  /** One look at all that is due; none before its time, nor beside another. Never throws. */
  async round(lake: Lake): Promise<void> {
    if (this.#busy || this.#clock.mono() < this.#next) return;
    this.#busy = true;
    this.#next = this.#clock.mono() + Math.min(LONGEST_PAUSE_MS, this.options.graceMs / 4);
    try {
      const { graceMs, keepSnapshots: keep, log } = this.options;
      await this.#runs(lake).catch((error) => {
        if (error instanceof LakeError) throw error;
        this.#tellOnce('warn', 'the runs cannot be swept', error.message, { cause: error.message });
      });
      this.#probes = await sweepProbes(lake, this.#probes, { now: this.#clock.mono(), graceMs });
      if (keep !== null) await retireSnapshots(lake, { keep, graceMs, now: this.#clock.wall(), log });
    } catch (error) {
      if (isLakeFailure(error, 'denied')) this.turnOff(error.message);
      else this.options.log.warn('a sweep was broken off; the next one goes on', { cause: (error as Error).message });
    } finally {
      this.#busy = false;
    }
  }

  async #runs(lake: Lake): Promise<void> {
    const record = new SweepRecord(lake, sweepKeys.runs);
    const before = await record.read();
    const looked: { marker: string; past: boolean }[] = [];
    const known = new Map<string, RunFate>();
    for await (const { key: marker } of lake.list(RUN_MARKERS)) {
      // Newest first: below the cursor all is done.
      if (before !== null && marker >= before) break;
      const run = parseRunMarker(marker);
      if (run === null) continue;
      const fate = await this.#contained(lake, run.database, run.runId);
      known.set(run.runId, fate);
      looked.push({ marker, past: isPast(run.runId, fate, this.#clock.wall(), this.options.graceMs) });
    }
    this.#known = known;
    const done = cursorAfter(looked, before);
    if (done !== null && done !== before) await record.write(done, new Date(this.#clock.wall()));
  }

  #tellOnce(level: 'info' | 'warn', message: string, cause: string, meta: object): void {
    if (!this.#told.has(cause)) this.options.log.log(level, message, meta);
    this.#told.add(cause);
  }

  /** `#look`, where a record that cannot be read is its own run's matter. */
  async #contained(lake: Lake, database: string, runId: string): Promise<RunFate> {
    try {
      return await this.#look(lake, database, runId);
    } catch (error) {
      if (error instanceof LakeError) throw error;
      const cause = (error as Error).message;
      this.#tellOnce('warn', 'what a run left cannot be swept', cause, { database, run_id: runId, cause });
      // Nobody mends what a script wrote; the pointer, on which every run of its database hangs, somebody may.
      const own = error instanceof MalformedRecord && error.key.startsWith(runKeys(database, runId).folder);
      return own ? 'leave' : 'wait';
    }
  }

  /** What is done with a run, and now was. */
  async #look(lake: Lake, database: string, runId: string): Promise<RunFate> {
    const before = this.#known.get(runId);
    if (before === 'sweep' || before === 'leave') return before;
    const record = (await readRun(lake, database, runId))?.record ?? null;
    const fate = fateOf(runId, record, this.#clock.wall(), this.options.graceMs);
    if (fate === before || (fate !== 'sweep' && fate !== 'sweep_again')) return fate;
    const swept = await sweepRun(lake, database, runId);
    if (swept.objects + swept.uploads > 0)
      this.options.log.info('swept what a run left', { database, run_id: runId, ...swept });
    return fate;
  }
}
