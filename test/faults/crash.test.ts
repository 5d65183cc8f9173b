import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../services/need';
import { readJson } from './harness/oracle';
import { STEPS, step } from './harness/steps';
import { inWorld, type World } from './harness/world';

// Seen to fail with `adjudicate` (adjudicate.ts) not writing what it found: the dead gateway's run stayed `running`.
describeWith(['nginx', 'postgresql', 's3'], 'fault 2: a gateway that is killed while its script reads', () => {
  it('changes nothing for readers; its run is closed as failed, and the next POST publishes', () =>
    inWorld({ rows: 200_000 }, async ({ bucket, database, gateways: [a, b], nginx }) => {
      const before = (await a!.post()).body.run_id;
      const so = database.received();
      database.throttle(500_000);
      const lost = await a!.begin();
      while (database.received() - so < 300_000) await sleep(20);
      await a!.stop('SIGKILL');
      database.thaw();
      const pointer = await readJson(bucket.lake, '_ingesta/current/postgresql.json');
      expect(pointer.manifest).toBe(`_ingesta/runs/postgresql/${before}/manifest.json`);
      // nginx has not noticed yet that one of its two is gone.
      const next = await nginx.post();
      expect([next.status, next.body.status]).toEqual([200, 'success']);
      expect(await b!.endOf(lost)).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' } });
      expect((await b!.get('/api/ingesta/postgresql/latest')).body.run_id).toBe(next.body.run_id);
    }));
});

// Seen to fail with `adjudicate` (adjudicate.ts) not asking `isPublished`: runs whose gateway died once they were published were
// called failed.
describeWith(['nginx', 'postgresql', 's3'], 'fault 3: a gateway that is killed at a step of the protocol', () => {
  const deaths = STEPS.flatMap((name) => (['before', 'after'] as const).map((when) => ({ name, when })));
  const databases = deaths.map(({ name, when }) => `${when}-${name}`);

  it(
    'leaves the old snapshot or the new one, and another gateway goes on',
    () =>
      inWorld({ databases, gateways: 1, settings: { MAX_CONCURRENT_RUNS: '3' } }, async (world) => {
        const queue = deaths.values();
        const worker = async () => {
          for (const death of queue) await die(world, `${death.when}-${death.name}`, death);
        };
        await Promise.all([worker(), worker(), worker()]);
      }),
    240_000,
  );
});

async function die(world: World, database: string, { name, when }: { name: (typeof STEPS)[number]; when: string }) {
  const { bucket, gateways, addGateway } = world;
  const [survivor] = gateways;
  const victim = await addGateway();
  const old = (await victim.post(database)).body.run_id;
  const kill = () => victim.stop('SIGKILL');
  const dead = victim.s3.strike(
    step(name, database),
    when === 'before'
      ? async (exchange) => void (await kill().then(exchange.breakOff))
      : async (exchange) => {
          const answer = await exchange.forward();
          await kill();
          exchange.reply(answer);
        },
  );
  const call = victim.post(database).catch(() => null);
  await Promise.all([dead, call]);

  const { manifest } = await readJson(bucket.lake, `_ingesta/current/${database}.json`);
  const shown = (await readJson(bucket.lake, manifest)).run_id;
  const isNew = ['publish', 'close', 'release'].indexOf(name) + (when === 'after' ? 1 : 0) > 0;
  expect([database, shown === old]).toEqual([database, !isNew]);
  const next = await survivor!.post(database);
  expect([database, next.status]).toEqual([database, 200]);
  expect((await readJson(bucket.lake, `_ingesta/current/${database}.json`)).manifest).toContain(next.body.run_id);
}
