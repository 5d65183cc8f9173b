import { type LeaseRecord, lockKey, type Manifest, type Pointer, pointerKey, runKeys } from '@ingesta/kit';
import fc from 'fast-check';
import { ApiError } from '../errors';
import type { Log } from '../log';
import {
  CALL_FAULTS,
  type CallFault,
  Machine,
  type MachineFault,
  reached,
  VirtualStore,
  VirtualTime,
} from '../testing/virtual-world';
import { acquireLease } from './acquire-lease';
import { fence } from './fence';
import type { HeldLease } from './held-lease';
import { leaseTimes } from './lease';
import { LeaseStore } from './lease-store';
import { Patrol } from './patrol';
import { publish, UnclearPublication } from './publication';

const SILENT = { warn: () => undefined, debug: () => undefined } as unknown as Log;
const TTL = 30_000;
const TROUBLE_MS = 240_000;
const times = leaseTimes(TTL);

interface Plan {
  /** What goes wrong with each call to the lake, in their order; then nothing more. */
  calls: CallFault[];
  machine: MachineFault[];
  /** How long its runs take. */
  work: number;
}

type End = 'published' | 'lost' | 'unclear' | 'refused' | 'lake';

/** One gateway that runs again and again, and what it believes. */
class Gateway {
  lease: HeldLease | null = null;
  readonly ends = new Map<string, End>();
  readonly timestamps: number[] = [];

  readonly patrol: Patrol;

  constructor(
    private readonly name: string,
    private readonly machine: Machine,
    private readonly lake: ReturnType<typeof reached>,
    private readonly work: number,
  ) {
    this.patrol = new Patrol({
      lake: async () => lake,
      gateway: name,
      ttlMs: TTL,
      isBusy: () => this.lease?.safe === true,
      log: SILENT,
      clock: machine,
    });
  }

  async runUntil(end: number): Promise<void> {
    for (let n = 1; this.machine.time.now < end; n += 1) {
      const runId = `${this.name}-${n}`;
      this.ends.set(runId, await this.run(runId));
      await this.machine.sleep(3_000);
    }
  }

  async run(runId: string): Promise<End> {
    const { machine: clock, lake } = this;
    const deadline = new Date(clock.wall() + 3_600_000);
    const store = new LeaseStore(lake, 'mysql', clock, times);
    const epochFloor = async () => 0;
    const { signal } = new AbortController();
    try {
      const claimant = { holder: this.name, runId, nonce: `nonce-${runId}`, deadline };
      const { lease } = await acquireLease({ store, claimant, times, clock, epochFloor, signal });
      this.lease = lease;
      this.timestamps.push(lease.record.last_timestamp);
      void lease.keep();
      const base = await fence(lake, 'mysql', lease.record.epoch, clock);
      await clock.sleep(this.work / 2, lease.signal);
      lease.signal.throwIfAborted();
      this.timestamps.push(await lease.allot());
      await clock.sleep(this.work / 2, lease.signal);
      // A holder that looks at its lease publishes less in vain; the fence must hold for one that does not look, too.
      if (this.work % 2 === 0) lease.signal.throwIfAborted();
      await publish(lake, { result: resultOf(runId), imageDigest: null, base, partial: false, settings: {} }, clock);
      await lease.release();
      return 'published';
    } catch (error) {
      if (error instanceof UnclearPublication) {
        this.lease?.abandon();
        return 'unclear';
      }
      await this.lease?.release();
      if (!(error instanceof ApiError)) return 'lake';
      return error.code === 'RUN_IN_PROGRESS' ? 'refused' : 'lost';
    }
  }
}

const resultOf = (runId: string) => ({
  status: 'success' as const,
  database: 'mysql',
  result: {},
  run_id: runId,
  attempt: 1,
  nonce: 'n',
  consistency: 'none' as const,
  taken_at: '2025-01-02T15:30:45.000Z',
  duration_ms: 1,
  warnings: [],
});

const planArbitrary: fc.Arbitrary<Plan> = fc.record({
  calls: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant<CallFault>('none') }, fc.constantFrom(...CALL_FAULTS)), {
    minLength: 10,
    maxLength: 150,
    size: 'max',
  }),
  machine: fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constantFrom('kill' as const, 'stop' as const, 'standby' as const),
        at: fc.integer({ min: 0, max: TROUBLE_MS }),
        ms: fc.integer({ min: 1_000, max: 90_000 }),
      }),
      fc.record({
        kind: fc.constant('wall' as const),
        at: fc.integer({ min: 0, max: TROUBLE_MS }),
        ms: fc.integer({ min: -600_000, max: 600_000 }),
      }),
    ),
    { maxLength: 3 },
  ),
  work: fc.integer({ min: 500, max: 70_000 }),
});

const SLEEP_AND_SET_BACK = [
  ({ kind }: MachineFault) => kind === 'standby',
  ({ kind, ms }: MachineFault) => kind === 'wall' && ms < 0,
];

/** The published manifests, newest first. */
function chainOf(store: VirtualStore): string[] {
  const read = <T>(key: string): T => JSON.parse(store.objects.get(key)!.body.toString('utf8'));
  const pointer = store.objects.get(pointerKey('mysql'));
  const chain: string[] = [];
  for (let key = pointer ? read<Pointer>(pointerKey('mysql')).manifest : null; key !== null; ) {
    chain.push(key);
    key = read<Manifest>(key).parent;
  }
  return chain;
}

const versions = <T>(store: VirtualStore, key: string): T[] =>
  store.history.filter((change) => change.key === key).map(({ body }) => JSON.parse(body));

it('whatever fails, there are never two holders that could publish, and every run is published once or not at all', async () => {
  let published = 0;
  let stolen = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(planArbitrary, { minLength: 2, maxLength: 3 }), async (plans) => {
      const time = new VirtualTime();
      const store = new VirtualStore();
      const gateways = plans.map(({ calls, machine: faults, work }, i) => {
        const machine = new Machine(time, faults);
        const left = calls.values();
        return new Gateway(
          `g${i}`,
          machine,
          reached(store, machine, () => left.next().value ?? 'none'),
          work,
        );
      });
      for (const gateway of gateways) {
        void gateway.runUntil(TROUBLE_MS);
        gateway.patrol.start();
      }
      // Nobody believes to hold what somebody else believes to hold, at no moment. No clock can tell a machine that it slept
      // where its wall clock was set back meanwhile: such a one may believe it, and the fence alone keeps it from publishing.
      const fooled = plans.map(({ machine }) => SLEEP_AND_SET_BACK.every((fits) => machine.some(fits)));
      const believers = () => gateways.filter(({ lease }, i) => lease?.safe && !fooled[i]);
      const look = () => expect(believers().length).toBeLessThanOrEqual(1);
      await time.pass(TROUBLE_MS + 200_000, look);

      // When all is quiet again, one who comes gets the lease within the TTL, and publishes.
      const machine = new Machine(time, []);
      const last = new Gateway(
        'last',
        machine,
        reached(store, machine, () => 'none'),
        1_000,
      );
      gateways.push(last);
      const end = last.run('last');
      await time.pass(time.now + TTL + 5_000, look);
      expect(await end).toBe('published');

      const locks = versions<LeaseRecord>(store, lockKey('mysql'));
      locks.forEach((lock, i) => {
        const before = locks[i - 1];
        const sameHolder = before?.nonce === lock.nonce;
        expect(lock.epoch).toBe((before?.epoch ?? 0) + (sameHolder ? 0 : 1));
        expect(lock.seq).toBeGreaterThan(before?.seq ?? 0);
        if (before && !sameHolder && before.state === 'held') stolen += 1;
      });
      const timestamps = gateways.flatMap((gateway) => gateway.timestamps);
      expect(new Set(timestamps).size).toBe(timestamps.length);

      const pointers = versions<Pointer>(store, pointerKey('mysql'));
      pointers.forEach((pointer, i) => {
        const before = pointers[i - 1];
        expect(pointer.epoch).toBeGreaterThanOrEqual(before?.epoch ?? 0);
        // A manifest comes in under the epoch that was fenced before it, never together with a new one.
        if (pointer.manifest !== (before?.manifest ?? null)) expect(pointer.epoch).toBe(before?.epoch);
      });
      const chain = chainOf(store);
      expect(new Set(chain).size).toBe(chain.length);
      for (const [runId, how] of gateways.flatMap(({ ends }) => [...ends])) {
        const inChain = chain.includes(runKeys('mysql', runId).manifest);
        if (how === 'published') expect(inChain).toBe(true);
        else if (how !== 'unclear') expect(inChain).toBe(false);
        published += how === 'published' ? 1 : 0;
      }
    }),
    { numRuns: 60, endOnFailure: true },
  );
  // Otherwise it would have shown nothing.
  expect(published).toBeGreaterThan(100);
  expect(stolen).toBeGreaterThan(20);
});
