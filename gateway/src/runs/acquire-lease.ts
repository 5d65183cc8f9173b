import { LakeError } from '@ingesta/kit';
import { ApiError } from '../errors';
import type { Clock } from './clock';
import { HeldLease } from './held-lease';
import {
  type Claimant,
  claimRecord,
  type Holding,
  isAdoption,
  type LeaseTimes,
  nextClaimStep,
  type Seen,
  verdictOf,
  type Watch,
} from './lease';
import type { LeaseStore } from './lease-store';

/** A claim that the lake neither takes nor refuses is tried this often. */
const MAX_CLAIMS = 6;
/** So often is a lake asked that does not answer: who has no lease yet has none to lose, and a blip should refuse nobody. */
const MAX_LOOKS = 3;

export interface Acquire {
  store: LeaseStore;
  claimant: Claimant;
  times: LeaseTimes;
  clock: Clock;
  /** Epoch of the pointer, asked where there is no lock record. */
  epochFloor: () => Promise<number>;
  /** What was watched already. */
  watch?: Watch;
  /** Aborted when the claim is no longer wanted. */
  signal: AbortSignal;
}

export interface Acquired {
  lease: HeldLease;
  /** The run of the holder before, if it did not release: this is a takeover. It stands among the lease's `orphans`. */
  predecessor: string | null;
}

/**
 * Gets the lease: at once where it is free, after a whole TTL of watching where its holder is gone. Throws
 * `RUN_IN_PROGRESS` with the run of a holder that lives, and `LakeError` where the lake cannot be used.
 */
export async function acquireLease(acquire: Acquire): Promise<Acquired> {
  const { store, clock, times, signal } = acquire;
  let watch = acquire.watch ?? null;
  let seen = await look(acquire);
  for (let claims = 0; ; ) {
    signal.throwIfAborted();
    const step = nextClaimStep(seen, watch, clock.mono(), times);
    if (step.do === 'refuse') throw runInProgress(store.database, step.runId);
    if (step.do === 'watch') {
      watch = step.watch;
      await clock.sleep(step.waitMs, signal);
      seen = await look(acquire);
      continue;
    }
    const predecessor = seen?.record.state === 'held' ? seen.record.run_id : null;
    const answer = await claim(acquire, seen);
    if ('lease' in answer) return { lease: answer.lease, predecessor };
    // It changed under our eyes: whoever holds it now lives.
    if (answer.lost && answer.now?.record.state === 'held') {
      const { run_id } = answer.now.record;
      const before = seen && { nonce: seen.record.nonce, runId: seen.record.run_id };
      if (before === null || !isAdoption(before, answer.now.record)) throw runInProgress(store.database, run_id);
      watch = null;
    }
    claims += 1;
    if (claims >= MAX_CLAIMS) throw answer.cause;
    await clock.sleep(clock.jitter(Math.min(times.look, 100 * 2 ** claims)), signal);
    seen = answer.now;
  }
}

type ClaimAnswer = { lease: HeldLease } | { lost: boolean; now: Seen; cause: unknown };

/** One conditional write over what was seen. An answer that was lost, or says no, is looked up. */
async function claim(acquire: Acquire, seen: Seen): Promise<ClaimAnswer> {
  const { store, claimant, times, clock, epochFloor } = acquire;
  const floor = seen === null ? await epochFloor() : 0;
  const record = claimRecord(seen, claimant, clock.wall(), floor, times);
  const sent = { sentMono: clock.mono(), sentWall: clock.wall() };
  const held = (holding: Holding) => new HeldLease(store, holding, times, clock);
  try {
    return { lease: held({ record, etag: await store.write(record, seen?.etag ?? null), ...sent }) };
  } catch (cause) {
    if (!(cause instanceof LakeError) || cause.kind === 'denied') throw cause;
    const now = await look(acquire);
    const verdict = verdictOf(now, claimant.nonce, seen?.etag ?? null);
    if (verdict !== 'mine' || now === null) return { lost: verdict === 'lost', now, cause };
    const lease = held({ ...now, ...sent });
    // Known from a reading only: one plain renewal before anything is done with it.
    await lease.confirm();
    return { lease };
  }
}

/** The record as it is, also where the lake misses an answer or two. */
async function look({ store, clock, times, signal }: Acquire): Promise<Seen> {
  for (let looks = 1; ; looks += 1) {
    try {
      return await store.read();
    } catch (error) {
      if (looks === MAX_LOOKS || !(error instanceof LakeError) || error.kind !== 'unavailable') throw error;
      await clock.sleep(clock.jitter(times.look), signal);
      signal.throwIfAborted();
    }
  }
}

/** One run of a database at a time. */
export function runInProgress(database: string, runId: string): ApiError {
  return new ApiError('RUN_IN_PROGRESS', `An ingestion of ${database} is running`, {
    database,
    runId,
    headers: { Location: `/api/ingesta/runs/${runId}` },
  });
}
