import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildForeignSource, buildImages, containersOf, E2E_PREFIX } from '../e2e/harness/images';
import { describeWith, dockerEnv } from '../services/need';
import { inWorld, type WorldOptions } from './harness/world';

const BUILD_MS = 300_000;

/** Gateways whose scripts run in containers, which reach this machine at the bridge's address. */
function dockerWorld(settings: Record<string, string> = {}): WorldOptions {
  const { listenAddress } = dockerEnv();
  return {
    fromContainers: { host: listenAddress, listen: listenAddress },
    settings: { RUNNER: 'docker', IMAGE_PREFIX: E2E_PREFIX, ...settings },
  };
}

describeWith(['docker', 'nginx', 'postgresql', 's3'], 'a script that behaves badly in its container', () => {
  let villain: Awaited<ReturnType<typeof buildForeignSource>>;
  beforeAll(async () => {
    villain = await buildForeignSource('villain');
  }, BUILD_MS);
  afterAll(() => villain?.remove());

  const launch = (mode: string, look: (told: { message: string; hint: string; log: string }) => unknown) =>
    inWorld(
      { ...dockerWorld({ SCRIPTS_DIR: villain.scripts, VILLAIN_MODE: mode, SCRIPT_MEMORY_MB: '128' }), gateways: 1 },
      async ({ gateways: [a] }) => {
        const { status, body } = await a!.post('villain');
        expect([status, body.error.code]).toEqual([502, 'SCRIPT_FAILED']);
        const log = (await a!.get(`/api/ingesta/runs/${body.error.run_id}/logs`)).body;
        await look({ ...body.error, log: typeof log === 'string' ? log : JSON.stringify(log) });
        expect((await a!.get('/livez')).status).toBe(200);
      },
    );

  describe('fault 19', () => {
    it('that takes more memory than it may is killed, and the answer says why', () =>
      launch('oom', ({ message }) => expect(message).toMatch(/memory/i)));

    it('that forks without end meets its limit of processes', () =>
      launch('fork_bomb', ({ log }) => expect(log).toMatch(/fork|resource/i)));

    it('that fills the disk finds none to fill', async () => {
      const free = async () => (await statfs('/var/lib/docker')).bavail;
      const before = await free();
      await launch('disk_fill', ({ log }) => {
        expect(log).toContain('/tmp: ENOSPC');
        expect(log).toContain('/app: EROFS');
        expect(log).not.toContain('took 512 MiB');
      });
      const { bsize } = await statfs('/var/lib/docker');
      expect((before - (await free())) * bsize).toBeLessThan(512 * 1024 * 1024);
    });
  });

  describe('fault 20', () => {
    it.each([
      ['nothing', 'silence'],
      ['garbage', 'garbage'],
    ])('that exits with 0 and %s on stdout has failed', (_, mode) =>
      launch(mode, ({ message }) => expect(message).toContain('gave no result')),
    );

    it('that prints a gigabyte is stopped, and the gateway keeps none of it', () =>
      inWorld(
        { ...dockerWorld({ SCRIPTS_DIR: villain.scripts, VILLAIN_MODE: 'flood' }), gateways: 1 },
        async ({ gateways: [a] }) => {
          const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${a!.pid}/status`, 'utf8'))![1]);
          const before = peak();
          const { status, body } = await a!.post('villain');
          expect([status, body.error.code]).toEqual([502, 'SCRIPT_FAILED']);
          expect(body.error.message).toContain('16 MiB');
          expect(peak() - before).toBeLessThan(150 * 1024);
        },
      ));
  });
});

describeWith(['docker', 'nginx', 'postgresql', 's3'], 'fault 23: containers that a dead gateway leaves', () => {
  beforeAll(() => buildImages('postgresql'), BUILD_MS);

  it(
    'are removed by another on the same engine; its own runs go on, and readers see the old snapshot',
    () =>
      inWorld({ ...dockerWorld(), databases: ['other'] }, async ({ gateways: [a, b], shop }) => {
        const before = (await a!.post()).body.run_id;
        const release = await shop.hold();
        const [lost, live] = [await a!.begin(), await b!.begin('other')];
        for (const runId of [lost, live]) while ((await containersOf(runId)).length === 0) await sleep(100);
        await a!.stop('SIGKILL');
        // The lock is held: it ends by no doing of its own.
        while ((await containersOf(lost)).length > 0) await sleep(250);
        expect(await b!.endOf(lost)).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' } });
        expect(await containersOf(live)).toHaveLength(1);
        expect((await b!.get('/api/ingesta/postgresql/latest')).body.run_id).toBe(before);
        await release();
        expect((await b!.endOf(live)).state).toBe('succeeded');
        expect((await b!.post()).status).toBe(200);
      }),
    120_000,
  );
});
