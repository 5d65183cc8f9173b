import { describeWith } from '../services/need';
import { inWorld } from './harness/world';

// Seen to fail with `nextClaimStep` (lease.ts) claiming a lease whatever it says: callers were told of runs that had lost it.
describeWith(['nginx', 'postgresql', 's3'], 'fault 1: fifty POSTs at once to two gateways', () => {
  it('are one run; the others are told which', () =>
    inWorld({}, async ({ nginx, shop }) => {
      const release = await shop.hold();
      const answers = Array.from({ length: 50 }, () => nginx.post());
      // All but one answer while the run is held open.
      const refused: Awaited<(typeof answers)[number]>[] = [];
      await new Promise<void>((resolve) => {
        for (const answer of answers) {
          void answer.then((one) => {
            refused.push(one);
            if (refused.length === 49) resolve();
          });
        }
      });
      await release();
      const all = await Promise.all(answers);
      const [won, ...more] = all.filter(({ status }) => status === 200);
      expect(more).toEqual([]);
      const { run_id } = won!.body;
      for (const { status, headers, body } of refused.slice(0, 49)) {
        expect([status, body.error.code, body.error.run_id]).toEqual([409, 'RUN_IN_PROGRESS', run_id]);
        expect(headers.get('location')).toBe(`/api/ingesta/runs/${run_id}`);
      }
    }));
});
