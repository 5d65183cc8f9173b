import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Lake, LakeError, lockKey, openLake } from '@ingesta/kit';
import { createBucket } from '../../../test/e2e/harness/s3';
import { describeWith } from '../../../test/services/need';
import { readJson } from '../testing/given';
import { acquireLease } from './acquire-lease';
import { systemClock } from './clock';
import { claimRecord, type Holding, isSafe, leaseTimes, nextClaimStep, nextHolderStep } from './lease';
import { LeaseStore } from './lease-store';

const TTL = 3000;
/** Calls to the lake have all the time they need on a machine that is busy with other tests. */
const times = { ...leaseTimes(TTL), call: 10_000 };

/** Each its own connection to one lake, as gateways have. */
function leaseSuite(name: string, open: () => Promise<Lake>): void {
  describe(`a lease in ${name}`, () => {
    let database = 0;
    const lakes: Lake[] = [];
    beforeEach(() => {
      database += 1;
    });
    afterAll(() => Promise.all(lakes.map((lake) => lake.close())));
    const connect = async () => {
      const lake = await open();
      lakes.push(lake);
      return lake;
    };
    const acquire = async (lake: Lake, runId: string, floor = 0) =>
      acquireLease({
        store: new LeaseStore(lake, `db${database}`, systemClock, times),
        claimant: { holder: 'test', runId, nonce: `nonce-${runId}`, deadline: new Date() },
        times,
        clock: systemClock,
        epochFloor: async () => floor,
        signal: new AbortController().signal,
      });

    it('goes to one of twenty who ask at once; the others are told its run', async () => {
      const [a, b] = [await connect(), await connect()];
      const asked = Array.from({ length: 20 }, (_, i) => acquire(i % 2 === 0 ? a : b, `run-${i}`));
      const answers = await Promise.allSettled(asked);
      const [winner, ...more] = answers.flatMap((answer) =>
        answer.status === 'fulfilled' ? [answer.value.lease] : [],
      );
      expect(more).toEqual([]);
      for (const answer of answers) {
        if (answer.status === 'rejected')
          expect(answer.reason).toMatchObject({ code: 'RUN_IN_PROGRESS', runId: winner!.record.run_id });
      }
      await winner!.release();
    });

    it('is free at once after a release, under a higher epoch and a later second', async () => {
      const lake = await connect();
      const first = await acquire(lake, 'one');
      await first.lease.release();
      const second = await acquire(lake, 'two');
      expect(second.predecessor).toBeNull();
      expect(second.lease.record.epoch).toBe(first.lease.record.epoch + 1);
      expect(second.lease.record.last_timestamp).toBeGreaterThan(first.lease.record.last_timestamp);
      expect(await second.lease.allot()).toBeGreaterThan(second.lease.record.last_timestamp - 1);
      await second.lease.release();
    });

    it('is refused while it is renewed, and taken over when its holder is gone; who comes back is too late', async () => {
      const [a, b] = [await connect(), await connect()];
      const { lease } = await acquire(a, 'one');
      const kept = lease.keep();
      await expect(acquire(b, 'two')).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS', runId: 'one' });
      lease.abandon();
      await kept;
      const { lease: next, predecessor } = await acquire(b, 'three');
      expect(predecessor).toBe('one');
      await expect(lease.confirm()).rejects.toMatchObject({ code: 'LEASE_LOST' });
      expect(lease.signal.aborted).toBe(true);
      await lease.release();
      expect(await readJson(b, lockKey(`db${database}`))).toMatchObject({ state: 'held', run_id: 'three', epoch: 2 });
      await next.release();
    });

    it('is owned once, at its epoch, when answers get lost', async () => {
      const lake = await connect();
      let lose = true;
      const lossy = async <T>(write: Promise<T>) => {
        const answer = await write;
        if (lose) throw new LakeError('unavailable', 'the answer was lost', '');
        return answer;
      };
      const through = Object.assign(Object.create(lake), {
        get: lake.get.bind(lake),
        putIfAbsent: (key: string, body: Buffer) => lossy(lake.putIfAbsent(key, body)).finally(() => (lose = false)),
        putIfMatch: (key: string, body: Buffer, etag: string) =>
          lossy(lake.putIfMatch(key, body, etag)).finally(() => (lose = false)),
      });
      const { lease } = await acquire(through, 'one');
      lose = true;
      await lease.confirm();
      lose = true;
      const timestamp = await lease.allot();
      const stored = await readJson(lake, lockKey(`db${database}`));
      expect(stored).toMatchObject({ epoch: 1, run_id: 'one', state: 'held', last_timestamp: timestamp });
      lose = true;
      await lease.release();
      expect(await readJson(lake, lockKey(`db${database}`))).toMatchObject({ epoch: 1, state: 'free' });
      expect(lease.signal.aborted).toBe(false);
    });

    it('is had where two of three looks get no answer, and a write, and not where there never is one', async () => {
      const lake = await connect();
      const blip = () => new LakeError('unavailable', 'a blip', '');
      let [looks, writes] = [0, 0];
      const through = Object.assign(Object.create(lake), {
        get: async (key: string) => {
          if (++looks % 3 !== 0) throw blip();
          return lake.get(key);
        },
        putIfAbsent: async (key: string, body: Buffer) => {
          const written = await lake.putIfAbsent(key, body);
          if (++writes === 1) throw blip();
          return written;
        },
        putIfMatch: lake.putIfMatch.bind(lake),
      });
      const { lease } = await acquire(through, 'one');
      expect(await readJson(lake, lockKey(`db${database}`))).toMatchObject({ run_id: 'one', state: 'held', epoch: 1 });
      lease.abandon();
      const away = Object.assign(Object.create(lake), {
        get: () => Promise.reject(new LakeError('unavailable', 'away', '')),
      });
      await expect(acquire(away, 'two')).rejects.toMatchObject({ kind: 'unavailable', message: 'away' });
    });

    it('does not start below the epoch of the pointer when its record is absent', async () => {
      const { lease } = await acquire(await connect(), 'one', 41);
      expect(lease.record.epoch).toBe(42);
      await lease.release();
    });
  });
}

describe('on real lakes', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-lease-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  leaseSuite('a folder', () => openLake({ LAKE_URL: pathToFileURL(folder).href }));
});

describeWith(['s3'], 'on S3', () => {
  let env: Record<string, string>;
  beforeAll(async () => {
    env = (await createBucket()).settings(false);
  });
  leaseSuite('a bucket', () => openLake(env));
});

describe('what a holder and a watcher decide', () => {
  const claimant = { holder: 'h', runId: 'r', nonce: 'n', deadline: new Date(0) };
  const record = claimRecord(null, claimant, 1_000_000, 0, times);
  const holding: Holding = { record, etag: 'e', sentMono: 100, sentWall: 1_000_000 };
  const watch = { etag: 'e', nonce: 'n', runId: 'r', since: 0 };
  const at = (mono: number, wall = mono) => ({ mono: 100 + mono, wall: 1_000_000 + wall });

  it('renews after a third of the TTL and gives up before the TTL is over', () => {
    expect(nextHolderStep(holding, at(0), times)).toEqual({ do: 'wait', waitMs: TTL / 3 });
    expect(nextHolderStep(holding, at(TTL / 3), times)).toEqual({ do: 'renew' });
    expect(nextHolderStep(holding, at(TTL * 0.75), times)).toEqual({ do: 'give_up' });
    expect(isSafe(holding, at(TTL * 0.74), times)).toBe(true);
    expect(isSafe(holding, at(TTL * 0.75), times)).toBe(false);
  });

  it('does not act on a lease after standby, when only the wall clock went on, but asks for a renewal', () => {
    expect(isSafe(holding, at(1, TTL), times)).toBe(false);
    expect(nextHolderStep(holding, at(1, TTL), times)).toEqual({ do: 'renew' });
    expect(nextHolderStep(holding, at(1, -600_000), times).do).toBe('wait');
  });

  it('waits as long as the record says, where that is longer than its own setting', () => {
    const seen = { record: { ...record, ttl_ms: 10 * TTL }, etag: 'e' };
    expect(nextClaimStep(seen, watch, TTL, times).do).toBe('watch');
    expect(nextClaimStep(seen, watch, 10 * TTL, times)).toEqual({ do: 'claim' });
  });

  it('takes a record that its holder, or the next one, has written meanwhile for alive', () => {
    for (const change of [{ seq: 2 }, { nonce: 'other', run_id: 'other' }]) {
      const now = { ...record, ...change };
      expect(nextClaimStep({ record: now, etag: 'other' }, watch, 10 * TTL, times)).toEqual({
        do: 'refuse',
        runId: now.run_id,
      });
    }
  });

  it('goes on waiting when somebody else only came to bury the dead run', () => {
    const adopted = { record: { ...record, nonce: 'adopter' }, etag: 'other' };
    expect(nextClaimStep(adopted, watch, TTL - 1, times)).toMatchObject({
      do: 'watch',
      watch: { etag: 'other', since: TTL - 1 },
    });
  });
});
