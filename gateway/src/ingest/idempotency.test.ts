import { idempotencyKey, type Lake, LakeError } from '@ingesta/kit';
import { uuidv7 } from 'uuidv7';
import { ApiError } from '../errors';
import { changeRun, openRun } from '../runs/run-store';
import { givenLake, givenRunRecord, keysOf } from '../testing/given';
import { Submissions } from './idempotency';
import type { IngestRequest } from './job';

const REQUEST: IngestRequest = { tables: null, format: 'csv', dryRun: false };
const TTL = 1_000;

let lake: Lake;
let remove: () => Promise<void>;
beforeEach(async () => ({ lake, remove } = await givenLake()));
afterEach(() => remove());

/** A gateway whose runs only begin; each test ends them itself. */
function gateway(through: Lake = lake) {
  const started: string[] = [];
  const ingestion = {
    start: async (database: string, _request: IngestRequest, runId = uuidv7()) => {
      started.push(runId);
      await openRun(lake, givenRunRecord({ run_id: runId, database }));
      return { runId, done: new Promise<never>(() => undefined) };
    },
  };
  const submissions = new Submissions({ ingestion, lake: async () => through, leaseTtlMs: TTL });
  const submit = (change: Partial<Parameters<Submissions['submit']>[0]> = {}) =>
    submissions.submit({ database: 'mysql', request: REQUEST, key: 'k', principal: 'p', path: '/mysql', ...change });
  return { submit, ingestion, started };
}
const end = async (runId: string, error: { code: string; message: string; hint: string }) => {
  const run = { record: givenRunRecord({ run_id: runId }), etag: '' };
  await changeRun(lake, run, { state: 'failed', error });
};

it('leads another gateway to the run under way, and to its end', async () => {
  const [a, b] = [gateway(), gateway()];
  const { runId } = await a.submit();
  const joined = await b.submit();
  expect([joined.runId, b.started]).toEqual([runId, []]);
  await end(runId, { code: 'SOURCE_AUTH', message: 'refused', hint: 'h' });
  await expect(joined.done).rejects.toMatchObject({ code: 'SOURCE_AUTH', runId });
});

it('starts one run for many requests at once, through two gateways', async () => {
  const [a, b] = [gateway(), gateway()];
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? a : b).submit()));
  expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
  expect([...a.started, ...b.started]).toHaveLength(1);
  await end(answers[0]!.runId, { code: 'SOURCE_AUTH', message: 'refused', hint: 'h' });
  // All but the one that started it wait for its end in the lake.
  let joined = 0;
  await new Promise<void>((resolve) => {
    for (const { done } of answers) {
      done.catch(() => {
        joined += 1;
        if (joined === answers.length - 1) resolve();
      });
    }
  });
});

it('means nothing to another principal, or on another path', async () => {
  const { submit, started } = gateway();
  await submit();
  await submit({ principal: 'other' });
  await submit({ path: '/other' });
  expect(started).toHaveLength(3);
  expect(await keysOf(lake, idempotencyKey('').replace('.json', ''))).toHaveLength(3);
});

it('starts one run when the answer to its own record is lost', async () => {
  const lossy = Object.assign(Object.create(lake), {
    get: lake.get.bind(lake),
    putIfAbsent: async (key: string, body: Uint8Array) => {
      await lake.putIfAbsent(key, body);
      throw new LakeError('unavailable', 'the answer was lost', '');
    },
  });
  const { submit, started } = gateway(lossy);
  const { runId } = await submit();
  expect(started).toEqual([runId]);
});

it('tells a failure that would come again, and starts anew after one that may not', async () => {
  const { submit, started } = gateway();
  const first = await submit();
  await end(first.runId, { code: 'LEASE_LOST', message: 'gone', hint: 'h' });
  const second = await submit();
  expect(second.runId).not.toBe(first.runId);
  await end(second.runId, { code: 'TABLE_NOT_FOUND', message: 'no t', hint: 'h' });
  await expect(submit()).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND', runId: second.runId });
  expect(started).toHaveLength(2);
});

it('forgets what was refused for the moment only', async () => {
  const { submit, ingestion, started } = gateway();
  const { start } = ingestion;
  ingestion.start = async () => {
    throw new ApiError('TOO_MANY_RUNS', 'full');
  };
  await expect(submit()).rejects.toMatchObject({ code: 'TOO_MANY_RUNS' });
  ingestion.start = start;
  await submit();
  expect(started).toHaveLength(1);
});
