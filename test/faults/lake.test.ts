import { setTimeout as sleep } from 'node:timers/promises';
import { PROBES } from '@ingesta/kit';
import { describeWith } from '../services/need';
import { settled } from '../settled';
import { scriptsOf } from './harness/oracle';
import { breakMidway } from './harness/s3-faults';
import type { Fault, Match, S3Proxy } from './harness/s3-proxy';
import { step } from './harness/steps';
import { inWorld } from './harness/world';

// Seen to fail without the question about either header in `probeLake` (probe-lake.ts): the gateway went on.
describeWith(['nginx', 'postgresql', 's3'], 'fault 10: a lake', () => {
  it.each(['if-none-match', 'if-match'])('that ignores %s is refused, with the reason', (header) =>
    inWorld({ gateways: 1 }, async ({ bucket, addGateway }) => {
      // What such a store does: it writes, whatever is there.
      const ignorant: Fault = async (exchange) => {
        const answer = await exchange.forward();
        if (answer.status !== 412) return exchange.reply(answer);
        const { etag } = await bucket.overwrite(exchange.call.key, await exchange.body());
        exchange.reply({ status: 200, headers: { etag }, body: Buffer.alloc(0) });
      };
      const conditional: Match = ({ method, headers }) => method === 'PUT' && headers[header] !== undefined;
      const gateway = await addGateway({ line: (s3) => void s3.strike(conditional, ignorant, 1000) });
      expect(await gateway.ended).toBe(1);
      expect((await gateway.log()).toLowerCase()).toContain(`ignores ${header}`);
    }),
  );

  // Seen to fail without `sweepProbes` (sweeper.ts): both were left for good.
  it.each<[string, Match]>([
    ['the object', ({ key, headers }) => key.startsWith(PROBES) && headers['if-match'] !== undefined],
    ['the upload', ({ key, query }) => key.startsWith(PROBES) && query.has('partNumber')],
  ])(
    'loses %s of a probe whose gateway was killed in the middle, once another gateway has seen it for the grace',
    (_, call) =>
      inWorld({ gateways: 1 }, async ({ addGateway }) => {
        let reached: Promise<void> | undefined;
        const unanswered: Fault = () => undefined;
        const line = (s3: S3Proxy) => {
          reached = s3.strike(call, unanswered);
        };
        const gateway = await addGateway({ line });
        await reached;
        await gateway.stop('SIGKILL');
      }),
  );

  it('that is down at the start is waited for: the gateway starts, says so, and recovers', () =>
    inWorld({ gateways: 1 }, async ({ addGateway }) => {
      const gateway = await addGateway({ line: (s3) => s3.cut() });
      expect((await gateway.get('/livez')).status).toBe(200);
      expect((await gateway.get('/health')).body.status).toBe('DEGRADED');
      const refused = await gateway.post();
      expect([refused.status, refused.body.error.code]).toEqual([502, 'LAKE_UNAVAILABLE']);
      gateway.s3.mend();
      // A proof that began before that may still fail the first who waits for it.
      expect(
        await settled(
          async () => (await gateway.post()).status,
          (status) => status === 200,
        ),
      ).toBe(200);
    }));
});

// The first seen to fail with `maxAttempts: 1` for parts (s3-clients.ts): one broken part cost the run.
// The second with parts that failed left out of the completion (s3-multipart.ts): the run ended as another one.
describeWith(['nginx', 'postgresql', 's3'], 'fault 11: S3 that breaks off in the middle of a part', () => {
  const part: Match = ({ method, query }) => method === 'PUT' && query.has('partNumber');
  const LARGE =
    'CREATE TABLE large AS SELECT id, repeat(md5(id::text), 32) AS text FROM generate_series(1, 12000) AS id';

  it('is asked again', () =>
    inWorld({ gateways: 1 }, async ({ gateways: [a], shop }) => {
      await shop.query(LARGE);
      const struck = a!.s3.strike(part, breakMidway);
      const [{ status, body }] = await Promise.all([a!.post(), struck]);
      expect([status, body.result.large.registros]).toEqual([200, 12_000]);
    }));

  it('for good fails the run; no object is there that looks complete, and no upload half-done', () =>
    inWorld({ gateways: 1, settings: { RUN_ATTEMPTS: '1' } }, async ({ bucket, gateways: [a], shop }) => {
      const before = (await a!.post()).body.run_id;
      await shop.query(LARGE);
      void a!.s3.strike(part, breakMidway, 1000);
      const { status, body } = await a!.post();
      expect([status, body.error.code]).toEqual([502, 'LAKE_UNAVAILABLE']);
      for await (const { key } of bucket.lake.list('postgresql/')) expect(key).not.toContain('large');
      expect((await a!.get('/api/ingesta/postgresql/latest')).body.run_id).toBe(before);
    }));
});

// Seen to fail with `nextHolderStep` (lease.ts) never giving up: the script was alive when the other gateway claimed.
describeWith(['nginx', 'postgresql', 's3'], 'fault 12: a gateway that is cut off from S3', () => {
  it('has ended its script by the time another can have the lease', () =>
    inWorld({ settings: { LEASE_TTL: '16' } }, async ({ folder, gateways: [a, b], shop }) => {
      const release = await shop.hold();
      const call = a!.post();
      // Its own line is cut, too: it must have nothing to write at the moment.
      while (!(await a!.log()).includes('"table":"payments"')) await sleep(20);
      a!.s3.cut();
      let alive: string[] | null = null;
      const claimed = b!.s3.strike(step('acquire'), async (exchange) => {
        alive = scriptsOf(folder);
        exchange.reply(await exchange.forward());
      });
      const next = b!.post();
      await claimed;
      expect(alive).toEqual([]);
      const { status, body } = await call;
      expect([status, body.error.code]).toEqual([503, 'LEASE_LOST']);
      await release();
      expect((await next).status).toBe(200);
    }));
});
