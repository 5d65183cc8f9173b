import { randomUUID } from 'node:crypto';
import { databaseOf, type Lake, LakeError, LOCKS, runKeys } from '@ingesta/kit';
import { ApiError } from '../errors';
import type { Log } from '../log';
import { acquireLease } from './acquire-lease';
import { adjudicate } from './adjudicate';
import { type Clock, systemClock } from './clock';
import { fence } from './fence';
import { leaseTimes } from './lease';
import { LeaseStore } from './lease-store';
import { fencedEpoch } from './publication';
import { MalformedRecord } from './read-record';

export interface PatrolServices {
  lake: () => Promise<Lake>;
  gateway: string;
  ttlMs: number;
  /** Called after each round: by then the runs of the dead have their end. */
  afterwards?: () => Promise<void>;
  /** Told of a database whose dead run turned out to be published. */
  recovered?: (database: string) => void;
  /** Databases that this gateway itself runs. */
  isBusy: (database: string) => boolean;
  log: Log;
  clock?: Clock;
}

/** A lock as the last rounds saw it. `quiet`: it is free, and need not be read again until it changes. */
interface Sighting {
  etag: string;
  since: number;
  quiet: boolean;
}

/**
 * Looks after runs whose gateway is gone, so that each gets its end also where nobody POSTs again. A round is one
 * listing of the locks; one that stayed the same for a TTL and is held is taken over under the dead run's own id,
 * fenced, its run adjudicated, and released.
 */
export class Patrol {
  readonly #sightings = new Map<string, Sighting>();
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  /** Per database what was told of it last. */
  readonly #told = new Map<string, string>();
  #walking: Promise<void> = Promise.resolve();

  constructor(private readonly services: PatrolServices) {
    this.#clock = services.clock ?? systemClock;
  }

  /** Makes rounds until `stop`. */
  start(): void {
    this.#walking = this.#walk();
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#walking;
  }

  async #walk(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.round();
        await this.services.afterwards?.();
      } catch (error) {
        this.services.log.debug('a patrol was broken off', { cause: (error as Error).message });
      }
      await this.#clock.sleep(this.services.ttlMs / 2, this.#stop.signal);
    }
  }

  /** One look at all locks. */
  async round(): Promise<void> {
    const lake = await this.services.lake();
    for await (const { key, etag } of lake.list(LOCKS)) {
      const database = databaseOf(key);
      const before = this.#sightings.get(database);
      const now = this.#clock.mono();
      if (before?.etag !== etag) this.#sightings.set(database, { etag, since: now, quiet: false });
      else if (!before.quiet && now - before.since >= this.services.ttlMs && !this.services.isBusy(database))
        await this.#contained(lake, database, before);
    }
  }

  /** `#visit`, where a record that cannot be read is its own database's matter. */
  async #contained(lake: Lake, database: string, sighting: Sighting): Promise<void> {
    try {
      await this.#visit(lake, database, sighting);
    } catch (error) {
      if (error instanceof LakeError || this.#stop.signal.aborted) throw error;
      const cause = (error as Error).message;
      if (this.#told.get(database) !== cause)
        this.services.log.warn('what a gateway that went away has left cannot be told', { database, cause });
      this.#told.set(database, cause);
    }
  }

  async #visit(lake: Lake, database: string, sighting: Sighting): Promise<void> {
    const times = leaseTimes(this.services.ttlMs);
    const store = new LeaseStore(lake, database, this.#clock, times);
    const seen = await store.read();
    if (seen === null || seen.etag !== sighting.etag) return;
    if (seen.record.state === 'free' && seen.record.orphans.length === 0) {
      sighting.quiet = true;
      return;
    }
    const { run_id: runId, nonce, deadline } = seen.record;
    try {
      const { lease } = await acquireLease({
        store,
        claimant: { holder: this.services.gateway, runId, nonce: randomUUID(), deadline: new Date(deadline) },
        times,
        clock: this.#clock,
        watch: { etag: seen.etag, nonce, runId, since: sighting.since },
        epochFloor: () => fencedEpoch(lake, database),
        signal: this.#stop.signal,
      });
      void lease.keep();
      try {
        await fence(lake, database, lease.record.epoch, this.#clock);
        // A free lease has a run that is over; only what it has noted is left to be told.
        const own = seen.record.state === 'held' ? [runId] : [];
        for (const orphan of [...lease.record.orphans, ...own]) {
          await this.#close(lake, database, orphan);
          lease.buried(orphan);
        }
        await lease.release();
      } finally {
        // A failure leaves the lease to the next round, here or elsewhere.
        lease.abandon();
      }
    } catch (error) {
      if (error instanceof ApiError && error.code === 'RUN_IN_PROGRESS') return;
      throw error;
    }
  }

  async #close(lake: Lake, database: string, runId: string): Promise<void> {
    const { log } = this.services;
    try {
      const record = await adjudicate(lake, database, runId, new Date(this.#clock.wall()));
      if (record?.state === 'succeeded') this.services.recovered?.(database);
      log.warn('closed a run whose gateway went away', { database, run_id: runId, ended: record?.state });
    } catch (error) {
      if (!(error instanceof MalformedRecord) || error.key !== runKeys(database, runId).run) throw error;
      // Nobody will ever be able to, and until then the lease would be taken over again and again.
      log.warn('a run whose gateway went away cannot be closed', { database, run_id: runId, cause: error.message });
    }
  }
}
