import fc from 'fast-check';
import { Pace } from './pace';
import { type Page, readRange } from './read-range';
import type { TokenRange } from './token-ranges';

/** A row of a partition. */
type Row = readonly [token: bigint, clustering: number];

interface FakePage extends Page {
  found: Row[];
}

class TooSlow extends Error {}

const RANGE: TokenRange = { after: 0n, upTo: 1_000n };

/** A node that keeps rows in order and pages as Cassandra does: the state names the last row, whatever the range was. */
function node(rows: Row[], tooSlow: (range: TokenRange, start: number, limit: number) => boolean, maxRows = 50) {
  const sorted = [...rows].sort((a, b) => Number(a[0] - b[0]) || a[1] - b[1]);
  const taken: Row[] = [];
  const pace = new Pace(maxRows);
  const read = () =>
    readRange<FakePage>(RANGE, {
      pace,
      fetch: async (range, state, limit) => {
        const start = state === undefined ? sorted.findIndex(([token]) => token > range.after) : Number(state);
        if (tooSlow(range, start, limit)) throw new TooSlow();
        const rest = start === -1 ? [] : sorted.slice(start).filter(([token]) => token <= range.upTo);
        const found = rest.slice(0, limit);
        const next = rest.length > limit ? String(start + limit) : undefined;
        return { found, rows: found.length, next };
      },
      take: async ({ found }) => {
        taken.push(...found);
        return { token: found.at(-1)?.[0] ?? null, bytes: found.length * 100 };
      },
      judge: (error) => (error instanceof TooSlow ? 'slow' : 'final'),
      stopped: () => false,
    });
  return { sorted, taken, read, pace };
}

const manyRows: Row[] = Array.from({ length: 400 }, (_, i) => [BigInt((i * 37) % 1000) + 1n, i % 3]);

describe('reading a range', () => {
  it('brings every row once, page by page', async () => {
    const { sorted, taken, read } = node(manyRows, () => false);
    await read();
    expect(taken).toEqual(sorted);
  });

  it('asks for fewer rows where a page takes too long', async () => {
    const { sorted, taken, read } = node(manyRows, (_range, _start, limit) => limit > 12);
    await read();
    expect(taken).toEqual(sorted);
  });

  it('comes to single rows where pages are refused that are too large, although there is nothing to cut', async () => {
    const rows: Row[] = Array.from({ length: 15_000 }, (_, i) => [RANGE.upTo, i]);
    // 9,681 is where a page of 5,000 begins: each guess from what was refused is too many rows again.
    const bytesOf = (row: number) => (row >= 9_681 && row < 9_684 ? 6_000_000 : 100);
    const { sorted, taken, read, pace } = node(
      rows,
      (_range, start, limit) => {
        const bytes = rows
          .slice(Math.max(0, start), Math.max(0, start) + limit)
          .reduce((sum, [, i]) => sum + bytesOf(i), 0);
        const refused = limit > 1 && bytes > 16 * 1024 * 1024;
        if (refused) pace.learn(limit, bytes);
        return refused;
      },
      5000,
    );
    await read();
    expect(taken).toEqual(sorted);
  });

  it('cuts a range that takes too long whatever the page', async () => {
    const { sorted, taken, read } = node(manyRows, ({ after, upTo }) => upTo - after > 100n);
    await read();
    expect(taken).toEqual(sorted);
  });

  it('brings every row once, wherever and however often it takes too long', async () => {
    const row = fc.tuple(fc.bigInt(1n, 1000n), fc.integer({ min: 0, max: 100 }));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(row, { maxLength: 300, selector: ([token, clustering]) => `${token} ${clustering}` }),
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        async (rows, luck) => {
          let slow = 0;
          const { sorted, taken, read } = node(rows, () => {
            if (luck.next().value !== 0 || slow > 12) return false;
            slow++;
            return true;
          });
          await read();
          expect(taken).toEqual(sorted);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('finishes a partition across which the range was cut', async () => {
    const wide: Row[] = Array.from({ length: 100 }, (_, i) => [500n, i]);
    const { sorted, taken, read } = node(
      [...wide, [501n, 0], [999n, 0]],
      ({ after, upTo }, start) => start > 10 && upTo - (start <= 100 ? 500n : after) > 100n,
    );
    await read();
    expect(taken).toEqual(sorted);
  });

  it('gives up on a single partition that is too slow by itself', async () => {
    const { read } = node([[500n, 0]], ({ after, upTo }) => after < 500n && upTo >= 500n);
    await expect(read()).rejects.toThrow(TooSlow);
  });

  it('gives up after a few requests that nobody answered', () => {
    const pace = new Pace(5000);
    const pauses = [1, 2, 3, 4].map(() => {
      pace.unanswered(pace.silences);
      return pace.failed();
    });
    expect(pauses[3]).toBeNull();
    expect(pauses.slice(0, 3)).not.toContain(null);
  });

  it('counts requests that were under way together as one silence, also after an answer', () => {
    const pace = new Pace(5000);
    for (let stall = 0; stall < 3; stall++) {
      const sent = pace.silences;
      for (let request = 0; request < 5; request++) {
        pace.unanswered(sent);
        expect(pace.failed()).not.toBeNull();
      }
    }
    const sent = pace.silences;
    pace.arrived(1, 1);
    for (let stall = 0; stall < 3; stall++) pace.unanswered(pace.silences);
    pace.unanswered(sent);
    expect(pace.failed()).not.toBeNull();
    pace.unanswered(pace.silences);
    expect(pace.failed()).toBeNull();
  });

  it('asks for as many rows as fit into a megabyte', () => {
    const pace = new Pace(5000);
    for (let i = 0; i < 6; i++) pace.arrived(pace.rows, pace.rows * 100);
    expect(pace.rows).toBe(5000);
    pace.arrived(10, 10 * 2 ** 20);
    expect(pace.rows).toBe(1);
  });
});
