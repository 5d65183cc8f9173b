import { type Lake, LakeError, lockKey, runKeys } from '@ingesta/kit';
import { uuidv7 } from 'uuidv7';
import { capturedLog, givenLake, givenRunRecord, lakeWith, readJson } from '../testing/given';
import type { Clock } from './clock';
import { Patrol } from './patrol';
import { openRun } from './run-store';

const TTL = 30_000;
let lake: Lake;
let remove: () => Promise<void>;
let now: number;
beforeEach(async () => {
  ({ lake, remove } = await givenLake());
  now = 0;
});
afterEach(() => remove());

const wall = () => Date.parse('2025-01-02T15:30:45Z') + now;
/** What waits does so until it is no longer wanted. */
const clock: Clock = {
  mono: () => now,
  wall,
  jitter: (ms) => ms,
  sleep: (_, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
};
function givenPatrol(through: Lake = lake) {
  const { log, lines } = capturedLog();
  const patrol = new Patrol({
    ...{ lake: async () => through, gateway: 'b', ttlMs: TTL, isBusy: () => false, log, clock },
  });
  const rounds = async (many: number) => {
    for (let i = 0; i < many; i += 1) {
      await patrol.round();
      now += TTL;
    }
  };
  return { rounds, lines };
}

/** A run whose gateway died; gives its id. */
async function deadRun(database: string): Promise<string> {
  const runId = uuidv7();
  await openRun(lake, givenRunRecord({ run_id: runId, database }));
  const lease = {
    ...{ epoch: 1, holder: 'a', run_id: runId, nonce: 'n', seq: 1, state: 'held', orphans: [], ttl_ms: TTL },
    ...{ started_at: '2025-01-02T15:30:45Z', deadline: '2025-01-02T16:30:45Z', last_timestamp: 0 },
  };
  await lake.putIfAbsent(lockKey(database), Buffer.from(JSON.stringify(lease)));
  return runId;
}
const stateOf = async (database: string, runId: string) => (await readJson(lake, runKeys(database, runId).run)).state;

it('goes on past a lock that cannot be read, and tells of it once', async () => {
  await lake.putIfAbsent(lockKey('a-bad-one'), Buffer.from('{}'));
  const runId = await deadRun('mysql');
  const { rounds, lines } = givenPatrol();
  await rounds(4);
  expect(await stateOf('mysql', runId)).toBe('failed');
  expect(lines.filter((line) => line.includes(lockKey('a-bad-one')))).toEqual([expect.stringContaining('"warn"')]);
});

it('frees the lease of a run whose record cannot be read, and tells of it once', async () => {
  const runId = await deadRun('mysql');
  const { run } = runKeys('mysql', runId);
  await lake.delete(run);
  await lake.putIfAbsent(run, Buffer.from('{}'));
  const { rounds, lines } = givenPatrol();
  await rounds(6);
  expect(await readJson(lake, lockKey('mysql'))).toMatchObject({ epoch: 2, state: 'free', orphans: [] });
  expect(lines.filter((line) => line.includes(run))).toEqual([expect.stringContaining('"warn"')]);
  expect(await readJson(lake, run)).toEqual({});
});

it('ends its round where the lake fails', async () => {
  await deadRun('mysql');
  const failing = lakeWith(lake, { get: () => Promise.reject(new LakeError('unavailable', 'away', '')) });
  await expect(givenPatrol(failing).rounds(2)).rejects.toMatchObject({ kind: 'unavailable' });
});
