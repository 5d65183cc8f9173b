import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../services/need';
import { readJson } from './harness/oracle';
import { refuse } from './harness/s3-faults';
import type { Match } from './harness/s3-proxy';
import { inWorld } from './harness/world';

const isPayments: Match = ({ method, key }) => method === 'PUT' && key.includes('/payments_');

// Seen to fail with `fateOf` (run-fate.ts) letting a run that is `running` be swept: the slow run's first object was gone.
describeWith(['nginx', 'postgresql', 's3'], 'fault 24: garbage collection beside a slow run and readers', () => {
  it('takes what a failed run left, and nothing that a run under way has written or a snapshot names', () =>
    inWorld(
      { databases: ['slow'], settings: { SWEEP_GRACE: '0', RUN_ATTEMPTS: '1' } },
      async ({ bucket, gateways: [a, b], shop }) => {
        const objectsOf = async (database: string) => {
          const found: string[] = [];
          for await (const { key } of bucket.lake.list(`${database}/`)) found.push(key);
          return found;
        };
        const published = await a!.post();
        expect(published.status).toBe(200);
        const kept = await objectsOf('postgresql');

        // One of its two objects is there when S3 refuses the other.
        void b!.s3.strike(isPayments, refuse(403, 'AccessDenied'), 10);
        const { status, body } = await b!.post();
        expect([status, body.error.code]).toEqual([502, 'LAKE_DENIED']);
        b!.s3.calm();
        const release = await shop.hold();
        const slow = await a!.begin('slow');
        const written = async () => (await objectsOf('slow')).some((key) => key.includes('/orders_'));
        while (!(await written())) await sleep(50);

        const garbage = async () => (await objectsOf('postgresql')).filter((key) => !kept.includes(key));
        while ((await garbage()).length > 0) await sleep(100);
        // The sweep of both gateways has been round since.
        await sleep(6_000);
        expect(await objectsOf('postgresql')).toEqual(kept);
        expect(await written()).toBe(true);
        await release();
        expect((await a!.endOf(slow)).state).toBe('succeeded');
        expect((await readJson(bucket.lake, '_ingesta/current/slow.json')).manifest).toContain(slow);
      },
    ));
});
