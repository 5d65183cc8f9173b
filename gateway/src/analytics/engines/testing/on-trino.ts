import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { trinoUrl } from '../../../../../test/services/need';
import { AnswerBudget } from '../answer-budget';
import type { Engine, QueryTable } from '../engine';
import { TrinoRunner } from '../trino/trino-runner';

/** Asks the tests' Trino itself, past the engine under test: the rows. */
export const askTrino =
  (catalog: string, schema: string) =>
  async (sql: string): Promise<readonly (readonly unknown[])[]> => {
    const own = { url: trinoUrl(), catalog, schema, user: 'test', password: null };
    const budget = new AnswerBudget({ maxRows: 1000, maxBytes: 1e6 });
    const never = new AbortController().signal;
    return (await new TrinoRunner(own, () => undefined).run(sql, [], budget, never)).rows;
  };

/** Gives up a query over `table` that would not end, and expects that Trino does not go on with it. */
export async function expectNoQueryBehind(
  engine: Engine,
  table: QueryTable,
  ask: ReturnType<typeof askTrino>,
): Promise<void> {
  const mark = randomUUID();
  const sql = `SELECT count(*) AS n FROM ${table.name}, UNNEST(sequence(1, 10000)) a(x), UNNEST(sequence(1, 10000)) b(x),
      UNNEST(sequence(1, 10000)) c(x) WHERE a.x * b.x * c.x = -1 AND '${mark}' <> ''`;
  const states = async () => {
    const mine = `query LIKE '%${mark}%' AND query NOT LIKE '%runtime%'`;
    return (await ask(`SELECT state FROM system.runtime.queries WHERE ${mine}`)).map(([state]) => state);
  };
  const stop = new AbortController();
  const asked = engine.query([table], [{ sql, parameters: [] }], stop.signal);
  asked.catch(() => undefined);
  while (!(await states()).includes('RUNNING')) await sleep(100);
  stop.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('enough');
  while (!(await states()).includes('FAILED')) await sleep(100);
  expect(await states()).toEqual(['FAILED']);
}
