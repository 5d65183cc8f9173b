import { setTimeout as sleep } from 'node:timers/promises';
import { buildImages, containersOf, E2E_PREFIX } from '../e2e/harness/images';
import { describeWith, dockerEnv } from '../services/need';
import { type FaultGateway, inWorld } from './harness/world';

// Seen to fail without the call of `reap` in main.ts: the container stayed; and with the reaper (reaper.ts) not asking `isOver`:
// the run that went on lost its container.
describeWith(['docker', 'nginx', 'postgresql', 's3'], 'fault 23: what a gateway that died has left', () => {
  beforeAll(() => buildImages('postgresql'), 300_000);

  it('is cleared away by another one, though nobody POSTs; an older container whose run goes on is left alone', () => {
    const { listenAddress } = dockerEnv();
    return inWorld(
      {
        gateways: 0,
        databases: ['alive'],
        fromContainers: { host: listenAddress, listen: listenAddress },
        settings: { RUNNER: 'docker', IMAGE_PREFIX: E2E_PREFIX },
      },
      async ({ addGateway, bucket, shop }) => {
        const a = await addGateway();
        // Gateways of one deployment name their lake alike.
        const settings = bucket.settings(listenAddress, a.s3.port);
        const [b, c] = [await addGateway({ settings }), await addGateway({ settings })];
        const release = await shop.hold();
        const begin = async (gateway: FaultGateway, database: string) => {
          const runId = await gateway.begin(database);
          while (!(await gateway.log()).includes(`"run_id":"${runId}","table":"payments"`)) await sleep(50);
          return runId;
        };
        // Two gateways could clear it away: for one the run that goes on is its own, for the other a stranger's.
        const alive = await begin(b, 'alive');
        const lost = await begin(a, 'postgresql');
        await a.stop('SIGKILL');
        while ((await containersOf(lost)).length > 0) await sleep(250);
        expect(await containersOf(alive)).toHaveLength(1);
        expect(await c.endOf(lost)).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' } });
        // Both have looked at what is there once more.
        await sleep(6_000);
        expect(await containersOf(alive)).toHaveLength(1);
        expect((await c.get(`/api/ingesta/runs/${alive}`)).body.state).toBe('running');
        await release();
        expect((await c.endOf(alive)).state).toBe('succeeded');
        const told = (await b.log()) + (await c.log());
        expect(told).toMatch(/"message":"removed what a gateway that went away has left".*/);
      },
    );
  }, 120_000);
});
