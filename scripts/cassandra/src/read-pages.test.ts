import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, errors } from 'cassandra-driver';
import { testContext } from '../../kit/src/testing/test-context';
import { AnswerTooLarge, RawRows } from './raw-rows';
import { readPages } from './read-pages';

const EMPTY = { rows: new RawRows(Buffer.alloc(0), 0, 0, 1) };
const timedOut = () => new errors.OperationTimedOutError('no answer in time', '10.0.0.1:9042');
/** As many as ranges are read at once. */
const WORKERS = 5;

/** Reads a table without columns, five ranges at once; `execute` answers the requests. */
async function read(execute: () => Promise<unknown>): Promise<void> {
  const ranges = Array.from({ length: WORKERS }, (_, i) => ({ after: BigInt(i) << 32n, upTo: BigInt(i + 1) << 32n }));
  const chunks = readPages({
    ...{ client: { execute } as unknown as Client, context: testContext({ parallelRanges: 2 }), pageSize: 5000 },
    ...{ what: 'Table t', query: 'SELECT token(id) FROM t', types: new Map(), ranges },
    selection: { table: { name: 't', columns: [], estimatedRows: null }, columns: [], isSensitiveKey: () => false },
  });
  for await (const _ of chunks);
}

describe('a node that says nothing for a while', () => {
  it('is asked again, although all requests under way waited in vain', async () => {
    let requests = 0;
    const waiting: (() => void)[] = [];
    await read(async () => {
      requests++;
      // Rows are small, as each worker hears: from then on they ask at the same time.
      if (requests <= WORKERS) throw new AnswerTooLarge(1);
      if (requests > 2 * WORKERS) return EMPTY;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === WORKERS) for (const end of waiting) end();
      });
      throw timedOut();
    });
    expect(waiting).toHaveLength(WORKERS);
  });

  it('is given up soon where requests are sent one after the other', async () => {
    let requests = 0;
    const reading = read(async () => {
      requests++;
      // Longer than the first pauses: whoever has failed stands in line again before the others have their turn.
      await sleep(20);
      throw timedOut();
    });
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    // Four in vain, and what stood in line then.
    expect(requests).toBeLessThan(4 + WORKERS);
  });
});
