import { EXIT, type Job } from '@ingesta/kit';
import type { Bench } from '../bench';
import { startsTable } from '../judge/events';
import { exitOf, failureProblems, stoppedProblems } from '../judge/exits';
import { leftoverProblems } from '../judge/leftovers';
import type { Observation } from '../observation';
import { openRelay } from '../relayed';
import { listed } from '../test-lake';
import { judged, notChecked, type Verdict } from '../verdict';
import { type Check, wholeSizes } from './check';

/** Until a deadline that passes while the script waits for its database. */
const DEADLINE_MS = 3000;
/** A script that goes on for longer after the signal did not heed it. */
const HEEDS_MS = 5000;
const DONE = 'it was done before the signal came: give it a larger table';

export const sigterm: Check = {
  name: 'SIGTERM',
  promise: 'SIGTERM in the middle ends the run with 143 and leaves nothing half-written',
  async run(bench) {
    const { result, seen } = await bench.plain();
    if (result === null) return notChecked('the plain run gave no result');
    if (!seen.stderr.split('\n').some(startsTable)) return guessedMiddle(bench, seen.durationMs);
    const relay = await openRelay(bench, 'answering');
    const stop = new AbortController();
    try {
      const strike = () => {
        // With its database silent from now on, the script cannot be done before the signal reaches it.
        relay?.freeze();
        stop.abort();
      };
      const end = await struck(bench, { env: relay?.env ?? {} }, strike, stop.signal);
      return judgedStop(end, relay === null);
    } finally {
      await relay?.close();
    }
  },
};

export const connectionLost: Check = {
  name: 'lost',
  promise: 'a connection that is cut in the middle ends the run with 69 and leaves nothing half-written',
  async run(bench) {
    const relay = await openRelay(bench, 'answering');
    if (relay === null) return notChecked('no plain host and port between which a relay could stand');
    try {
      const end = await struck(bench, { env: relay.env }, () => relay.cut());
      if (end.after === null) return notChecked(`it told of no table before its end: ${exitOf(end.seen)}`);
      if (end.seen.exitCode === EXIT.OK) return notChecked('it had all it needed before the connection was cut');
      return judged([...failureProblems(end.seen, [EXIT.UNAVAILABLE]), ...end.left], `exit ${end.seen.exitCode}`);
    } finally {
      await relay.close();
    }
  },
};

export const deadline: Check = {
  name: 'deadline',
  promise: 'a script ends itself with 143 when the deadline of its job passes',
  async run(bench) {
    const relay = await openRelay(bench, 'silent');
    try {
      const passes = new Date(Date.now() + (relay === null ? -1000 : DEADLINE_MS)).toISOString();
      const end = await struck(bench, { deadline: passes, env: relay?.env ?? {} }, () => undefined);
      if (relay !== null && end.seen.exitCode === EXIT.UNAVAILABLE) {
        return notChecked('it gave a silent server up before the deadline');
      }
      const problems = [...stoppedProblems(end.seen), ...end.left];
      return judged(problems, relay === null ? 'passed before the start' : 'passed while the server was silent');
    } finally {
      await relay?.close();
    }
  },
};

interface Struck {
  readonly seen: Observation;
  /** Milliseconds from the strike to the end; null where the end came first. */
  readonly after: number | null;
  /** What is wrong with what it left. */
  readonly left: readonly string[];
}

/** A run that is struck when it tells of its first table, or `delayMs` after its launch. */
async function struck(
  bench: Bench,
  change: Partial<Job>,
  strike: () => void,
  signal?: AbortSignal,
  delayMs?: number,
): Promise<Struck> {
  const lake = await bench.lakes.fresh();
  let at: number | null = null;
  const once = () => {
    if (at !== null) return;
    at = performance.now();
    strike();
  };
  const timer = delayMs === undefined ? undefined : setTimeout(once, delayMs);
  const onLine = (line: string) => {
    if (delayMs === undefined && startsTable(line)) once();
  };
  const { seen, job } = await bench.run(bench.job(lake.env, change), { signal, onLine });
  const after = at === null ? null : performance.now() - at;
  clearTimeout(timer);
  const left = leftoverProblems(await listed(lake.lake), job.timestamp, await wholeSizes(bench));
  return { seen, after, left };
}

/** Without a word from the script its middle can only be guessed. */
async function guessedMiddle(bench: Bench, durationMs: number): Promise<Verdict> {
  for (const share of [0.5, 0.25]) {
    const stop = new AbortController();
    const end = await struck(bench, {}, () => stop.abort(), stop.signal, share * durationMs);
    const verdict = judgedStop(end, true);
    if (verdict.state !== 'not checked') return verdict;
  }
  return notChecked(DONE);
}

function judgedStop({ seen, after, left }: Struck, couldBeDone: boolean): Verdict {
  if (after === null) return notChecked(seen.exitCode === 0 ? DONE : `it came to no table: ${exitOf(seen)}`);
  if (seen.exitCode === EXIT.OK && couldBeDone && after < HEEDS_MS) return notChecked(DONE);
  return judged([...stoppedProblems(seen), ...left], `exit 143 after ${(after / 1000).toFixed(1)} s, lake clean`);
}
