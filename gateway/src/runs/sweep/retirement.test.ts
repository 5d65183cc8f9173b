import * as fc from 'fast-check';
import { retire, type Snapshot } from './retirement';

const GRACE = 100;

interface Publication {
  /** Time since the one before. */
  after: number;
  /** Tables that this run exports anew; the others are carried over. */
  fresh: boolean[];
}

const publications: fc.Arbitrary<Publication[]> = fc.array(
  fc.record({ after: fc.integer({ min: 1, max: 150 }), fresh: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }) }),
  { maxLength: 20 },
);

/** The pointer's chain, newest first, as publications make it; each at its time. */
function chainsOf(history: readonly Publication[]) {
  const states: { now: number; chain: Snapshot[] }[] = [];
  let chain: Snapshot[] = [];
  let now = 0;
  let current: string[] = [];
  for (const [run, { after, fresh }] of history.entries()) {
    now += after;
    current = fresh.map((anew, table) => (anew || !current[table] ? `t${table}-${run}` : current[table]!));
    const [last, ...older] = chain;
    const replaced = last ? [{ ...last, supersededAt: now }, ...older] : [];
    chain = [{ manifest: `m${run}`, objects: [...current], supersededAt: null }, ...replaced];
    states.push({ now, chain });
  }
  return states;
}

it('deletes nothing that a snapshot which stays names, and in the end everything else', () => {
  fc.assert(
    fc.property(publications, fc.integer({ min: 1, max: 4 }), (history, keep) => {
      const deleted = new Set<string>();
      let done: string | null = null;
      const round = ({ now, chain }: { now: number; chain: Snapshot[] }) => {
        const until = chain.findIndex(({ manifest }) => manifest === done);
        const { objects, newest } = retire(until === -1 ? chain : chain.slice(0, until), keep, now, GRACE);
        for (const key of objects) deleted.add(key);
        done = newest ?? done;
        for (const [i, { objects: named, supersededAt }] of chain.entries()) {
          const mustStay = i < keep || supersededAt === null || now - supersededAt < GRACE;
          if (mustStay) for (const key of named) expect(deleted).not.toContain(key);
        }
      };
      const states = chainsOf(history);
      for (const state of states) round(state);
      const last = states.at(-1);
      if (last === undefined) return;
      round({ ...last, now: last.now + GRACE });
      const needed = new Set(last.chain.slice(0, keep).flatMap(({ objects }) => objects));
      for (const { objects } of last.chain) for (const key of objects) expect(deleted.has(key)).toBe(!needed.has(key));
    }),
  );
});

it('keeps the published snapshot, whatever it is told', () => {
  const only: Snapshot[] = [{ manifest: 'm', objects: ['a'], supersededAt: null }];
  expect(retire(only, 0, 1e12, 0)).toEqual({ objects: [], newest: null });
  expect(retire([], 3, 1e12, 0)).toEqual({ objects: [], newest: null });
});

it('keeps what is newer than one that must stay, though clocks say that it is older', () => {
  const chain: Snapshot[] = [
    { manifest: 'm3', objects: ['c'], supersededAt: null },
    { manifest: 'm2', objects: ['b'], supersededAt: 10 },
    { manifest: 'm1', objects: ['a'], supersededAt: 950 },
  ];
  expect(retire(chain, 1, 1000, GRACE)).toEqual({ objects: [], newest: null });
});
