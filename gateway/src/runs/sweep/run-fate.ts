import type { RunRecord } from '@ingesta/kit';

/**
 * What the sweep does with one run, as a pure decision. `wait`: nothing yet. `sweep_again`: what it left may go, and more may
 * come: a script whose gateway died goes on until its deadline. `sweep`: what it left may go, and no more can come.
 * `leave`: there is nothing to sweep, now or later.
 */
export type RunFate = 'wait' | 'sweep_again' | 'sweep' | 'leave';

/** When the run's id was made: the only time known of a run without a record. Ms since 1970. */
export const idTime = (runId: string): number => Number.parseInt(runId.replace(/-/g, '').slice(0, 12), 16);

/**
 * The fate of a run at `now` (ms). `record` is null where its gateway died between marker and record: then nothing was ever
 * launched. `graceMs` also covers the difference between two machines' clocks.
 */
export function fateOf(runId: string, record: RunRecord | null, now: number, graceMs: number): RunFate {
  if (record === null) return now < idTime(runId) + graceMs ? 'wait' : 'leave';
  if (record.state === 'running') return 'wait';
  if (record.state === 'succeeded') return 'leave';
  const finished = Date.parse(record.finished_at ?? record.started_at);
  if (now < finished + graceMs) return 'wait';
  const deadline = record.deadline === null ? finished : Date.parse(record.deadline);
  return now < Math.max(finished, deadline) + graceMs ? 'sweep_again' : 'sweep';
}

/** A run may get its marker so long after its id was made: it waited for its turn. */
const DAY_MS = 24 * 60 * 60 * 1000;

/** Whether a run needs no other look, and no marker can come any more that sorts behind its own. */
export const isPast = (runId: string, fate: RunFate, now: number, graceMs: number): boolean =>
  (fate === 'sweep' || fate === 'leave') && now >= idTime(runId) + graceMs + DAY_MS;

/**
 * How far the sweep has come: the newest marker from which on every run is past. `looked` are the runs above `before`, newest
 * first, and whether each is past.
 */
export function cursorAfter(
  looked: readonly { marker: string; past: boolean }[],
  before: string | null,
): string | null {
  let cursor = before;
  for (const { marker, past } of [...looked].reverse()) {
    if (!past) break;
    cursor = marker;
  }
  return cursor;
}
