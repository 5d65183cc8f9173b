import { idempotencyKey, type Lake, LakeError } from '@ingesta/kit';
import { uuidv7 } from 'uuidv7';
import { ApiError } from '../errors';
import { changeRun, openRun } from '../runs/run-store';
import { givenLake, givenRunRecord, keysOf, lakeWith } from '../testing/given';
import { Submissions } from './idempotency';
import type { IngestRequest } from './job';

const REQUEST: IngestRequest = { tables: null, format: 'csv', dryRun: false };
const TTL = 3_000;

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
const close = async (runId: string, error: { code: string; message: string; hint: string }) => {
  const run = { record: givenRunRecord({ run_id: runId }), etag: '' };
  await changeRun(lake, run, { state: 'failed', error });
};

it('leads another gateway to the run under way, and to its end', async () => {
  const [a, b] = [gateway(), gateway()];
  const { runId } = await a.submit();
  const joined = await b.submit();
  expect([joined.runId, b.started]).toEqual([runId, []]);
  await close(runId, { code: 'SOURCE_AUTH', message: 'refused', hint: 'h' });
  await expect(joined.done).rejects.toMatchObject({ code: 'SOURCE_AUTH', runId });
});

it('starts one run for many requests at once, through two gateways', async () => {
  const [a, b] = [gateway(), gateway()];
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? a : b).submit()));
  expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
  expect([...a.started, ...b.started]).toHaveLength(1);
  await close(answers[0]!.runId, { code: 'SOURCE_AUTH', message: 'refused', hint: 'h' });
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

it('looks for the end of a run under way once, however many requests wait for it', async () => {
  const { submit, started } = gateway();
  let looks = 0;
  const counting = lakeWith(lake, {
    get: (key: string) => {
      if (key.endsWith('run.json')) looks += 1;
      return lake.get(key);
    },
  });
  const other = gateway(counting);
  const { runId } = await submit();
  const joined = await Promise.all(Array.from({ length: 20 }, () => other.submit()));
  // Each request itself looks once.
  looks -= joined.length;
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(looks).toBeLessThanOrEqual(4);
  await close(runId, { code: 'LEASE_LOST', message: 'gone', hint: 'h' });
  for (const { done } of joined) await expect(done).rejects.toMatchObject({ code: 'LEASE_LOST', runId });
  // What has ended is forgotten.
  const second = await other.submit();
  expect([started, other.started]).toEqual([[runId], [second.runId]]);
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
  await close(first.runId, { code: 'LEASE_LOST', message: 'gone', hint: 'h' });
  const second = await submit();
  expect(second.runId).not.toBe(first.runId);
  await close(second.runId, { code: 'TABLE_NOT_FOUND', message: 'no t', hint: 'h' });
  await expect(submit()).rejects.toMatchObject({
    code: 'TABLE_NOT_FOUND',
    runId: second.runId,
    hint: expect.stringMatching(/^h This answer is kept for the Idempotency-Key: /),
  });
  expect(started).toHaveLength(2);
});

it('waits for a run that waits for its turn, however long that is, through another gateway, too', async () => {
  const [a, b] = [gateway(), gateway()];
  const { start } = a.ingestion;
  let turn: () => void = () => undefined;
  a.ingestion.start = async (...args) => {
    await new Promise<void>((resolve) => {
      turn = resolve;
    });
    return start(...args);
  };
  const first = a.submit();
  while ((await keysOf(lake)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const joined = [a.submit(), b.submit()];
  await new Promise((resolve) => setTimeout(resolve, 4 * TTL));
  expect([...a.started, ...b.started]).toEqual([]);
  turn();
  const { runId } = await first;
  for (const one of joined) expect((await one).runId).toBe(runId);
  expect([...a.started, ...b.started]).toEqual([runId]);
});

it('takes a key over whose gateway died before its run began', async () => {
  const [a, b] = [gateway(), gateway()];
  const dead = lakeWith(lake, {
    putIfMatch: async () => {
      throw new LakeError('unavailable', 'this gateway is no more', '');
    },
  });
  const late = gateway(dead);
  let end: (reason: ApiError) => void = () => undefined;
  late.ingestion.start = () =>
    new Promise((_, reject) => {
      end = reject;
    });
  const lost = late.submit();
  while ((await keysOf(lake)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const answers = await Promise.all([a.submit(), b.submit()]);
  expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
  expect([...a.started, ...b.started]).toHaveLength(1);
  end(new ApiError('LEASE_LOST', 'gone'));
  await expect(lost).rejects.toMatchObject({ code: 'LEASE_LOST' });
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
