import { inWorld } from '../faults/harness/world';
import { describeWith } from '../services/need';
import { putLoad } from './load';

describeWith(['nginx', 'postgresql', 's3'], 'followers of a run and monitors', () => {
  it('are all served while it runs, and the lake does not feel how many they are', () =>
    inWorld({ gateways: 1, settings: { LEASE_TTL: '20' } }, async ({ gateways: [gateway], shop, nginx }) => {
      const release = await shop.hold();
      const runId = await nginx.begin();
      const before = gateway!.s3.calls.length;
      const seconds = 5;
      const { failures, followed, asked } = await putLoad(gateway!.url, runId, {
        followers: 300,
        perSecond: 100,
        seconds,
      });
      expect({ failures, followed, asked }).toEqual({ failures: {}, followed: 300, asked: 500 });
      // Each follower looks once when it comes; from then on they look together, not 300 times a second.
      const record = gateway!.s3.calls.slice(before).filter((call) => call.endsWith(`${runId}/run.json`));
      expect(record.length).toBeLessThan(2 * 300);
      await release();
      expect((await nginx.endOf(runId)).state).toBe('succeeded');
    }));
});
