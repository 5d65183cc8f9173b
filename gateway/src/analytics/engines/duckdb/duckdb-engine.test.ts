import { type Lake, openLake } from '@ingesta/kit';
import { createBucket } from '../../../../../test/e2e/harness/s3';
import { describeWith } from '../../../../../test/services/need';
import { givenLake } from '../../../testing/given';
import { engineSuite } from '../engine-suite';
import { type GivenEngine, givenEngine } from '../testing/given-engine';
import { declared, exportGiven } from '../testing/given-table';

/** The suite over one lake. */
function overLake(open: () => Promise<{ lake: Lake; env: Record<string, string>; remove: () => Promise<void> }>): void {
  let there: Awaited<ReturnType<typeof open>>;
  let own: GivenEngine;
  beforeAll(async () => {
    there = await open();
    own = await givenEngine(there.env);
  });
  afterAll(async () => {
    await own.close();
    await there.remove();
  });

  engineSuite(() => ({
    engine: own.engine,
    commit: async (table, columns) => declared(table, await exportGiven(there.lake, table), columns),
  }));

  it('computes once what several statements share, anew for each query', async () => {
    const shared = [{ name: 'drawn', sql: 'SELECT random() AS r', parameters: [] }];
    const statement = { sql: 'SELECT r AS r FROM drawn', parameters: [], shared };
    const draw = async () => {
      const results = await own.engine.query([], [statement, statement], new AbortController().signal);
      return results.map(({ rows }) => rows[0]![0]);
    };
    const [first, again] = await draw();
    expect(again).toBe(first);
    expect(await draw()).not.toContain(first);
  });

  it('warned of nothing', () => expect(own.warnings).toEqual([]));
}

describe('DuckDB over a folder', () => {
  overLake(givenLake);
});

describeWith(['s3'], 'DuckDB over a bucket', () => {
  overLake(async () => {
    const bucket = await createBucket();
    const env = bucket.settings(false);
    const lake = await openLake(env);
    return { lake, env, remove: () => lake.close() };
  });
});
