import { type Lake, runMarkerKey } from '@ingesta/kit';
import fc from 'fast-check';
import { V7Generator } from 'uuidv7';
import { givenLake, givenRunRecord } from '../testing/given';
import { listRuns } from './run-list';
import { openRun } from './run-store';

let lake: Lake;
let remove: () => Promise<void>;
beforeEach(async () => ({ lake, remove } = await givenLake()));
afterEach(() => remove());

const generator = new V7Generator();
const START = Date.UTC(2025, 0, 2);
const idAt = (ms: number) => generator.generateOrResetCore(ms, 10_000).toString();

const all = { database: null, state: null, limit: 20, cursor: null };
const ids = async (query: Partial<Parameters<typeof listRuns>[1]> = {}) =>
  (await listRuns(lake, { ...all, ...query })).runs.map(({ run_id }) => run_id);

/** Two databases by turns, an hour apart; every third failed. Gives their ids, newest first. */
async function given(count: number): Promise<string[]> {
  const made: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const run_id = idAt(START + i * 3_600_000);
    made.unshift(run_id);
    const state = i % 3 === 0 ? 'failed' : 'succeeded';
    await openRun(lake, givenRunRecord({ run_id, state, database: i % 2 === 0 ? 'mysql' : 'postgresql' }));
  }
  return made;
}

it('gives the newest first, page by page, each run once', async () => {
  const made = await given(7);
  expect(await ids()).toEqual(made);
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await listRuns(lake, { ...all, limit: 3, cursor });
    found.push(...page.runs.map(({ run_id }) => run_id));
    cursor = page.cursor;
  } while (cursor !== null);
  expect(found).toEqual(made);
});

it('gives those of one database, or in one state', async () => {
  const made = await given(7);
  expect(await ids({ database: 'mysql' })).toEqual(made.filter((_, i) => i % 2 === 0));
  expect(await ids({ state: 'failed' })).toEqual([made[0], made[3], made[6]]);
  expect(await ids({ state: 'running' })).toEqual([]);
});

it('passes over the marker of a run that never began', async () => {
  const [run] = await given(1);
  await lake.putIfAbsent(runMarkerKey(idAt(START + 9e9), 'mysql'), Buffer.from('{}'));
  expect(await ids()).toEqual([run]);
});

it('reads no more than a page, however many runs there are', async () => {
  await given(40);
  let reads = 0;
  const counting = Object.assign(Object.create(lake), {
    list: lake.list.bind(lake),
    get: (key: string) => {
      reads += 1;
      return lake.get(key);
    },
  });
  await listRuns(counting, { ...all, limit: 5 });
  expect(reads).toBe(5);
});

it.each(['x', '', '%', Buffer.from('../../x').toString('base64url')])('refuses the cursor %s', async (cursor) => {
  await expect(listRuns(lake, { ...all, cursor })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
});

it('orders markers by time, backwards, for all times', () => {
  const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  fc.assert(
    fc.property(time, time, (a, b) => {
      const [first, second] = [runMarkerKey(idAt(a)), runMarkerKey(idAt(b))];
      if (a !== b) expect(first < second).toBe(a > b);
    }),
  );
});
