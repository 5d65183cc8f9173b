import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../services/need';
import { type EngineName, openEngine } from './harness/engines';
import { readJson, scriptsOf } from './harness/oracle';
import { inWorld, LEASE_TTL_S } from './harness/world';

const engines: EngineName[] = ['postgresql', 'mysql', 'mongodb', 'cassandra'];
const ONCE = { RUN_ATTEMPTS: '1' };

// Each seen to fail with its source's server-error.ts not knowing a lost connection: SCRIPT_FAILED.
for (const name of engines) {
  describeWith([...new Set(['postgresql', 's3', name] as const)], `fault 14: ${name} breaks the connection`, () => {
    it('in the middle of a table: the run fails, and the snapshot before is served', () =>
      inWorld({ gateways: 0, settings: ONCE }, async (world) => {
        const { settings, hop } = await openEngine(world, name);
        const gateway = await world.addGateway({ settings });
        const before = await gateway.post(name);
        expect([before.status, before.body.result?.ledger.registros]).toEqual([200, 3000]);
        hop.resetAfter(1_000_000);
        const { status, body } = await gateway.post(name);
        expect([status, body.error.code]).toEqual([502, 'SOURCE_UNAVAILABLE']);
        const latest = (await gateway.get(`/api/ingesta/${name}/latest`)).body;
        expect(latest.run_id).toBe(before.body.run_id);
      }));
  });
}

// Seen to fail without `stopAtDeadline` (run-script.ts): the gateway had to stop the script; and with `statement_timeout` 0 in the
// session of snapshot.ts: the statement never ended.
describeWith(['nginx', 'postgresql', 's3'], 'fault 15: a database that hangs', () => {
  it('costs a run its time and no more: its script is gone', () =>
    inWorld(
      { gateways: 1, rows: 300_000, settings: { RUN_TIMEOUT: '20' } },
      async ({ database, folder, gateways: [a] }) => {
        database.throttle(500_000);
        const call = a!.post();
        while (database.received() < 300_000) await sleep(20);
        database.freeze();
        const { status, body } = await call;
        expect([status, body.error.code]).toEqual([504, 'RUN_TIMEOUT']);
        // The script's own words: it did not have to be stopped.
        expect(body.error.message).toContain('deadline (');
        expect(scriptsOf(folder)).toEqual([]);
      },
    ));

  it('in one statement ends at the statement’s own limit', () =>
    inWorld(
      { gateways: 1, settings: { POSTGRES_STATEMENT_TIMEOUT: '1', ...ONCE } },
      async ({ gateways: [a], shop }) => {
        const release = await shop.hold();
        const { status, body } = await a!.post();
        expect([status, body.error.code]).toEqual([502, 'SCRIPT_FAILED']);
        expect(body.error.hint).toContain('POSTGRES_STATEMENT_TIMEOUT');
        await release();
      },
    ));
});

// Seen to fail without `lease.keep` in `runRecorded` (recorded-run.ts): the rival was not refused any more.
describeWith(['nginx', 'postgresql', 's3'], 'fault 16: a slow database', () => {
  it('costs no lease, however often it would have run out', () =>
    inWorld({ rows: 150_000 }, async ({ bucket, database, gateways: [a, b] }) => {
      database.throttle(300_000);
      const runId = await a!.begin();
      const lease = () => readJson(bucket.lake, '_ingesta/locks/postgresql.json');
      for (const end = performance.now() + 2 * LEASE_TTL_S * 1000; performance.now() < end; await sleep(200)) {
        const { status, body } = await b!.post();
        expect([status, body.error.run_id]).toEqual([409, runId]);
      }
      expect(await lease()).toMatchObject({ state: 'held', run_id: runId, epoch: 1 });
      expect((await a!.endOf(runId)).state).toBe('succeeded');
      expect((await lease()).epoch).toBe(1);
    }));
});

// Seen to fail with `MAX_WAITING` (row-merge.ts) infinite: the script took more memory than it may.
describeWith(['nginx', 'postgresql', 's3'], 'fault 16: a slow S3 behind a fast database', () => {
  it('fills no memory, and costs no lease', () =>
    inWorld({ gateways: 1 }, async ({ bucket, folder, gateways: [a], shop }) => {
      await shop.query(
        'CREATE TABLE large AS SELECT id, repeat(md5(id::text), 32) AS text FROM generate_series(1, 100000) AS id',
      );
      a!.s3.throttle(12_000_000);
      let peak = 0;
      let over = false;
      const call = a!.post().finally(() => {
        over = true;
      });
      while (!over) {
        for (const pid of scriptsOf(folder)) peak = Math.max(peak, peakMemory(pid));
        await sleep(50);
      }
      const { status, body } = await call;
      expect([status, body.result.large.registros]).toEqual([200, 100_000]);
      expect(body.result.large.bytes).toBeGreaterThan(100_000_000);
      expect(peak).toBeGreaterThan(0);
      expect(peak).toBeLessThan(180 * 1024);
      expect((await readJson(bucket.lake, '_ingesta/locks/postgresql.json')).epoch).toBe(1);
    }));
});

/** KiB that a process ever had resident; 0 where it is gone. */
function peakMemory(pid: string): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
