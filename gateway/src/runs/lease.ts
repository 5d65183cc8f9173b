import type { LeaseRecord } from '@ingesta/kit';

/**
 * The lease as a pure state machine: what to do next, given what was read and what the own clock says. Nothing here
 * reads or writes. The rules are those of Kubernetes' leader election (steal only what was watched unchanged for a
 * whole TTL on the own clock) and of restic's locks (the holder gives up earlier than anybody may steal, and looks at
 * the wall clock too, because timers stand still in standby).
 */

/** Durations of a lease, in ms, all derived from its TTL. */
export interface LeaseTimes {
  /** A record that did not change for this long may be stolen. */
  readonly ttl: number;
  /** From one renewal to the next. */
  readonly renewEvery: number;
  /** The holder gives up this long after sending its last successful renewal: time to stop a container is left. */
  readonly safe: number;
  /** Pause between two looks at somebody else's record. */
  readonly look: number;
  /** Patience with one call to the lake. */
  readonly call: number;
}

export const leaseTimes = (ttl: number): LeaseTimes => ({
  ttl,
  renewEvery: ttl / 3,
  safe: ttl - ttl / 4,
  look: Math.min(1000, ttl / 10),
  call: ttl / 6,
});

/** The record as it was read, or null where there is none. */
export type Seen = { readonly record: LeaseRecord; readonly etag: string } | null;

/** A record of somebody else that is being watched since `since` (monotonic ms, taken after the first reading). */
export interface Watch {
  readonly etag: string;
  readonly nonce: string;
  readonly runId: string;
  readonly since: number;
}

export type ClaimStep =
  /** Write a record of one's own over what was seen. */
  | { readonly do: 'claim' }
  /** Look again after `waitMs`. */
  | { readonly do: 'watch'; readonly watch: Watch; readonly waitMs: number }
  /** Its holder lives. */
  | { readonly do: 'refuse'; readonly runId: string };

/** What somebody who wants the lease does after a reading at `mono`. */
export function nextClaimStep(seen: Seen, watch: Watch | null, mono: number, times: LeaseTimes): ClaimStep {
  if (seen === null || seen.record.state === 'free') return { do: 'claim' };
  const { nonce, run_id: runId } = seen.record;
  const changed = watch !== null && watch.etag !== seen.etag;
  if (changed && !isAdoption(watch, seen.record)) return { do: 'refuse', runId };
  const watched = watch === null || changed ? { etag: seen.etag, nonce, runId, since: mono } : watch;
  const left = watched.since + Math.max(times.ttl, seen.record.ttl_ms) - mono;
  if (left <= 0) return { do: 'claim' };
  return { do: 'watch', watch: watched, waitMs: Math.ceil(Math.min(times.look, left)) };
}

/**
 * Somebody else took over the lease only to say how its dead run ended, under that run's own id: it will be free in a
 * moment. Whoever waited for the dead holder must not be sent away for that.
 */
export const isAdoption = (before: { nonce: string; runId: string }, now: LeaseRecord): boolean =>
  now.run_id === before.runId && now.nonce !== before.nonce;

/** A lease that is held, as its holder knows it. */
export interface Holding {
  readonly record: LeaseRecord;
  readonly etag: string;
  /** When the last successful write of the record was sent, on both clocks. */
  readonly sentMono: number;
  readonly sentWall: number;
}

export interface Instant {
  readonly mono: number;
  readonly wall: number;
}

export type HolderStep =
  | { readonly do: 'wait'; readonly waitMs: number }
  | { readonly do: 'renew' }
  | { readonly do: 'give_up' };

/**
 * What a holder does at `now`. A wall clock that ran ahead means standby or a clock that was set: only a renewal can
 * tell whether the lease is still there, and until it has, `isSafe` says no.
 */
export function nextHolderStep(holding: Holding, now: Instant, times: LeaseTimes): HolderStep {
  const age = now.mono - holding.sentMono;
  if (age >= times.safe) return { do: 'give_up' };
  if (age >= times.renewEvery || !isSafe(holding, now, times)) return { do: 'renew' };
  return { do: 'wait', waitMs: Math.ceil(times.renewEvery - age) };
}

/** Whether the holder may act on its lease at `now`: nobody can have stolen it yet. */
export const isSafe = (holding: Holding, now: Instant, times: LeaseTimes): boolean =>
  now.mono - holding.sentMono < times.safe && now.wall - holding.sentWall < times.safe;

/** What a reading after an unclear write says: the write happened, or another of ours did; nothing changed; not ours. */
export type Verdict = 'mine' | 'unchanged' | 'lost';

/** Whose the record is, after a write over `etag` (null: over nothing) under `nonce` whose answer was lost or a refusal. */
export function verdictOf(seen: Seen, nonce: string, etag: string | null): Verdict {
  if (seen?.record.nonce === nonce) return 'mine';
  return (seen?.etag ?? null) === etag ? 'unchanged' : 'lost';
}

/** Seconds that no attempt before had, whatever the clocks say. */
export const nextTimestamp = (wall: number, last: number): number => Math.max(Math.floor(wall / 1000), last + 1);

/** Who claims a lease, and for which run. */
export interface Claimant {
  readonly holder: string;
  readonly runId: string;
  readonly nonce: string;
  readonly deadline: Date;
}

/**
 * The record of a new holder. `epochFloor` is what the pointer says: a lock that is absent (never there, or deleted by
 * somebody) must not start below it.
 */
export function claimRecord(
  seen: Seen,
  claimant: Claimant,
  wall: number,
  epochFloor: number,
  times: LeaseTimes,
): LeaseRecord {
  return {
    epoch: Math.max(seen?.record.epoch ?? 0, epochFloor) + 1,
    holder: claimant.holder,
    run_id: claimant.runId,
    nonce: claimant.nonce,
    seq: (seen?.record.seq ?? 0) + 1,
    state: 'held',
    started_at: new Date(wall).toISOString(),
    deadline: claimant.deadline.toISOString(),
    last_timestamp: nextTimestamp(wall, seen?.record.last_timestamp ?? 0),
    orphans: orphansOf(seen, claimant.runId),
    ttl_ms: Math.ceil(times.ttl),
  };
}

/** Runs whose end a new holder has to tell: those its predecessor had not told, and the predecessor's own if it did not release. */
function orphansOf(seen: Seen, own: string): string[] {
  if (seen === null) return [];
  const { orphans, run_id, state } = seen.record;
  const all = state === 'held' ? [...orphans, run_id] : orphans;
  return [...new Set(all)].filter((runId) => runId !== own);
}
