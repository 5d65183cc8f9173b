import type { LeaseRecord } from '@ingesta/kit';
import { ApiError } from '../errors';
import type { Clock } from './clock';
import { type Holding, isSafe, type LeaseTimes, nextHolderStep, nextTimestamp, verdictOf } from './lease';
import type { LeaseStore } from './lease-store';

/** How a write of the holder's record went: as wished, not known, or somebody else has the lease. */
type Written = 'ok' | 'doubt' | 'lost';

/** Writes of a release; after them the lease runs out by itself. */
const RELEASE_TRIES = 3;

/**
 * A lease that is held. `keep` renews it until `release` or `abandon`; `signal` is aborted, with `LEASE_LOST` as its
 * reason, as soon as it is lost or nobody can tell any more that it is not.
 */
export class HeldLease {
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  #holding: Holding;
  /** Highest `seq` ever sent, heard of or not: no two writes have the same bytes. */
  #seq: number;
  /** Orphans whose end has been told; the next write leaves them out. */
  readonly #buried = new Set<string>();
  /** Writes go one after the other: each needs the ETag of the one before. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: LeaseStore,
    holding: Holding,
    private readonly times: LeaseTimes,
    private readonly clock: Clock,
  ) {
    this.#holding = holding;
    this.#seq = holding.record.seq;
  }

  get record(): LeaseRecord {
    return this.#holding.record;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether at this moment nobody else can have it. */
  get safe(): boolean {
    return !this.#over() && isSafe(this.#holding, this.#now(), this.times);
  }

  /** Notes that a run of an earlier holder has its end. */
  buried(runId: string): void {
    this.#buried.add(runId);
  }

  /** Renews until the lease ends; never throws. `onRenewed` is called after each renewal. */
  async keep(onRenewed: () => void = () => undefined): Promise<void> {
    while (!this.#over()) {
      const step = nextHolderStep(this.#holding, this.#now(), this.times);
      if (step.do === 'give_up') return this.#lose('the lake took no renewal in time');
      if (step.do === 'wait') await this.clock.sleep(step.waitMs, this.#ended.signal);
      else if ((await this.#write(() => ({}))) === 'ok') onRenewed();
      // A lake that refuses at once must not be asked without a pause.
      else await this.clock.sleep(this.times.look, this.#ended.signal);
    }
  }

  /** One renewal that is heard to succeed, before something that only a holder may do. Throws `LEASE_LOST`. */
  async confirm(): Promise<void> {
    await this.#untilOk(() => ({}));
  }

  /** The timestamp of one attempt, stored before it is used: seconds since 1970. Throws `LEASE_LOST`. */
  async allot(): Promise<number> {
    let timestamp = 0;
    await this.#untilOk(({ last_timestamp }) => {
      timestamp ||= nextTimestamp(this.clock.wall(), last_timestamp);
      return { last_timestamp: timestamp };
    });
    return timestamp;
  }

  /** Gives it back, so that nobody waits. Never throws: where the lake takes no release, the lease runs out. */
  async release(): Promise<void> {
    this.abandon();
    for (let tries = 0; tries < RELEASE_TRIES && !this.#lost.signal.aborted; tries += 1) {
      if ((await this.#write(() => ({ state: 'free' }))) !== 'doubt') return;
      if (this.#holding.record.state === 'free') return;
      await this.clock.sleep(this.times.look);
    }
  }

  /** Renews no more and leaves the record as it is: whoever finds it stale looks what became of the run. */
  abandon(): void {
    this.#ended.abort();
  }

  #over(): boolean {
    return this.#ended.signal.aborted || this.#lost.signal.aborted;
  }

  #now() {
    return { mono: this.clock.mono(), wall: this.clock.wall() };
  }

  async #untilOk(change: (record: LeaseRecord) => Partial<LeaseRecord>): Promise<void> {
    while ((await this.#write(change)) !== 'ok') {
      if (nextHolderStep(this.#holding, this.#now(), this.times).do === 'give_up')
        this.#lose('the lake took no renewal in time');
      this.#lost.signal.throwIfAborted();
      await this.clock.sleep(this.times.look, this.#lost.signal);
    }
  }

  #write(change: (record: LeaseRecord) => Partial<LeaseRecord>): Promise<Written> {
    const mine = this.#queue.then(() => this.#writeNow(change));
    this.#queue = mine;
    return mine;
  }

  async #writeNow(change: (record: LeaseRecord) => Partial<LeaseRecord>): Promise<Written> {
    if (this.#lost.signal.aborted) return 'lost';
    const { record: before, etag } = this.#holding;
    this.#seq += 1;
    const orphans = before.orphans.filter((runId) => !this.#buried.has(runId));
    const record = { ...before, ...change(before), orphans, seq: this.#seq };
    const sent = { sentMono: this.clock.mono(), sentWall: this.clock.wall() };
    try {
      this.#holding = { record, etag: await this.store.write(record, etag), ...sent };
      return 'ok';
    } catch {
      return this.#lookUp(before.nonce, etag);
    }
  }

  /** After any failure: the answer may have been lost, the ETag may be that of a write of ours not heard of. */
  async #lookUp(nonce: string, etag: string): Promise<Written> {
    try {
      const seen = await this.store.read();
      const verdict = verdictOf(seen, nonce, etag);
      if (verdict === 'lost' || seen === null) {
        this.#lose('another gateway has taken the lease');
        return 'lost';
      }
      // When it was written is not known: the time of the last success goes on counting.
      this.#holding = { ...this.#holding, ...seen };
      return 'doubt';
    } catch {
      return 'doubt'; // The lake is silent; the clock decides how long that is bearable.
    }
  }

  #lose(why: string): void {
    this.#lost.abort(new ApiError('LEASE_LOST', `The run was given up: ${why}`, { database: this.store.database }));
  }
}
