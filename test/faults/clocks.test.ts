import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../services/need';
import { readJson } from './harness/oracle';
import { step } from './harness/steps';
import { inWorld, LEASE_TTL_S } from './harness/world';

const MINUTES = 60_000;

// Seen to fail with `replacePointer` (publication.ts) writing over whatever stands there and not over the own fence only: the late
// run was published over its successor.
describeWith(['nginx', 'postgresql', 's3'], 'fault 4: a holder that is paused past its TTL', () => {
  it('publishes nothing when it goes on: another has fenced it off', () =>
    inWorld({}, async ({ bucket, gateways: [a, b], shop }) => {
      // Between its last look at its lease and the write of the pointer.
      const paused = a!.s3.strike(step('manifest'), async (exchange) => {
        const answer = await exchange.forward();
        process.kill(a!.pid, 'SIGSTOP');
        exchange.reply(answer);
      });
      const late = a!.post();
      await paused;
      await shop.advance();
      const next = await b!.post();
      expect(next.status).toBe(200);
      process.kill(a!.pid, 'SIGCONT');
      const { status, body } = await late;
      expect([status, body.error.code]).toEqual([503, 'LEASE_LOST']);
      const { manifest } = await readJson(bucket.lake, '_ingesta/current/postgresql.json');
      expect(manifest).toContain(next.body.run_id);
      expect((await b!.endOf(body.error.run_id)).state).toBe('failed');
    }));
});

// Seen to fail with `nextTimestamp` (lease.ts) without its `last + 1`: timestamps fell; and with `nextClaimStep` going by
// `started_at` and the own wall clock, not by what it watched: a rival claimed over a holder whose clock was behind.
describeWith(['nginx', 'postgresql', 's3'], 'fault 5: gateways whose clocks are ten minutes off', () => {
  it.each([
    ['behind', -10 * MINUTES],
    ['ahead', 10 * MINUTES],
  ])('steal no lease that lives, its holder being %s', (_, holderAhead) =>
    inWorld({ gateways: 1 }, async ({ bucket, gateways: [right], shop, addGateway }) => {
      const holder = await addGateway({ clockAheadMs: holderAhead });
      const rival = await addGateway({ clockAheadMs: -holderAhead });
      const release = await shop.hold();
      const runId = await holder.begin();
      for (const end = performance.now() + 2 * LEASE_TTL_S * 1000; performance.now() < end; await sleep(200)) {
        for (const { status, body } of await Promise.all([rival.post(), right!.post()])) {
          expect([status, body.error.run_id]).toEqual([409, runId]);
        }
      }
      await release();
      expect((await holder.endOf(runId)).state).toBe('succeeded');
      // Keys of the same second would meet; the oracle looks whether the timestamps rise.
      for (const gateway of [rival, right!, holder]) expect((await gateway.post()).status).toBe(200);
      expect((await readJson(bucket.lake, '_ingesta/locks/postgresql.json')).epoch).toBe(4);
    }),
  );
});
