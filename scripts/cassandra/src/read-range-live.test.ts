import { types } from 'cassandra-driver';
import { describeWith } from '../../../test/services/need';
import { Pace } from './pace';
import { type Page, readRange } from './read-range';
import { createTestKeyspace, type TestKeyspace } from './testing/test-keyspace';

interface LivePage extends Page {
  found: { id: string; token: bigint }[];
}

class TooSlow extends Error {}

const PARTITIONS = 300;
const ROWS = 40;
const RING = { after: -(2n ** 63n), upTo: 2n ** 63n - 1n };

describeWith(['cassandra'], 'ranges that are cut in the middle of their pages, on a real node', () => {
  let keyspace: TestKeyspace;
  beforeAll(async () => {
    keyspace = await createTestKeyspace();
    await keyspace.admin.execute('CREATE TABLE wide (p int, c int, PRIMARY KEY (p, c))');
    for (let p = 0; p < PARTITIONS; p++) {
      const queries = Array.from({ length: ROWS }, (_, c) => ({
        query: 'INSERT INTO wide (p, c) VALUES (?, ?)',
        params: [p, c],
      }));
      await keyspace.admin.batch(queries, { prepare: true, logged: false });
    }
  }, 120_000);
  afterAll(() => keyspace?.drop());

  it.each([1, 2, 3])(
    'lose no row and bring none twice (%i)',
    async (seed) => {
      const taken: string[] = [];
      let pages = 0;
      let refusals = 0;
      let cuts = 0;
      await readRange<LivePage>(RING, {
        pace: new Pace(70),
        fetch: async ({ after, upTo }, state, rows) => {
          // Every few pages three reads in a row are "too slow": then the range is cut, most often with a page state.
          if (refusals > 0) {
            refusals--;
            throw new TooSlow();
          }
          if (++pages % (4 + seed) === 0) refusals = 3;
          if (upTo !== RING.upTo && state !== undefined) cuts++;
          const answer = await keyspace.admin.execute(
            'SELECT p, c, token(p) AS t FROM wide WHERE token(p) > ? AND token(p) <= ?',
            [after, upTo].map((token) => types.Long.fromString(String(token))),
            { prepare: true, fetchSize: rows, pageState: state },
          );
          const found = answer.rows.map((row) => ({ id: `${row.p}/${row.c}`, token: BigInt(row.t.toString()) }));
          return { found, rows: found.length, next: answer.pageState ?? undefined };
        },
        take: async ({ found }) => {
          taken.push(...found.map(({ id }) => id));
          return { token: found.at(-1)?.token ?? null, bytes: found.length * 20 };
        },
        judge: (error) => (error instanceof TooSlow ? 'slow' : 'final'),
        stopped: () => false,
      });
      expect(cuts).toBeGreaterThan(10);
      expect(taken).toHaveLength(PARTITIONS * ROWS);
      expect(new Set(taken).size).toBe(PARTITIONS * ROWS);
    },
    120_000,
  );
});
