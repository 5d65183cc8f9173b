import { client } from '../e2e/harness/client';
import { inWorld } from '../faults/harness/world';
import { describeWith } from '../services/need';

/** As one that drops what is idle for 60 s: nothing of the gateway's knows which number it is. */
const PATIENCE_S = 30;

describeWith(['nginx', 'postgresql', 's3'], 'behind a balancer that drops idle connections', () => {
  it(
    'a caller who follows a run keeps its line for longer than that, and gets the result',
    () =>
      inWorld({ nginxTimeoutS: PATIENCE_S, settings: { LEASE_TTL: '20' } }, async ({ nginx, shop }) => {
        const release = await shop.hold();
        const url = nginx.url;
        const accepted = await nginx.begin();
        const stream = await fetch(`${url}/api/ingesta/runs/${accepted}/events`);
        const began = performance.now();
        let [text, released] = ['', false];
        for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
          text += chunk;
          if (!released && performance.now() - began > (PATIENCE_S + 5) * 1000) {
            released = true;
            await release();
          }
        }
        // One connection, from before until after.
        expect(released).toBe(true);
        expect(text).toContain(': still here');
        expect(text).toContain('event: result');
        // And who asks for the answer at once gets it the same way.
        const followed = await client(['run', 'postgresql', '--follow'], { INGESTA_URL: url });
        expect(followed).toMatchObject({ code: 0, stdout: expect.stringContaining('succeeded') });
      }),
    120_000,
  );
});
