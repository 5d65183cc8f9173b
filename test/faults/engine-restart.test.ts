import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildImages, E2E_PREFIX } from '../e2e/harness/images';
import { describeWith } from '../services/need';
import { settled } from '../settled';
import { type OwnEngine, startOwnEngine } from './harness/own-engine';
import { inWorld } from './harness/world';

// Seen to fail with `waitForExit` (docker-container.ts) believing in the wait alone: it falls silent with the daemon that was killed,
// and the run did not end.
describeWith(
  ['docker', 'namespaces', 'nginx', 'postgresql', 's3'],
  'fault 22: a Docker daemon that is restarted during a run',
  () => {
    let folder: string;
    let engine: OwnEngine;
    beforeAll(async () => {
      await buildImages('postgresql');
      folder = await mkdtemp(join(tmpdir(), 'ingesta-engine-'));
      engine = await startOwnEngine(folder);
      await engine.load(`${E2E_PREFIX}postgresql:latest`);
    }, 300_000);
    afterAll(async () => {
      await engine?.close();
      if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    });

    it.each(['SIGKILL', 'SIGTERM'] as const)(
      'by %s: the run ends and says why, nothing is left, and the next one publishes',
      (signal) =>
        inWorld(
          {
            gateways: 1,
            fromContainers: { host: engine.machine, listen: engine.machine },
            settings: { RUNNER: 'docker', IMAGE_PREFIX: E2E_PREFIX, DOCKER_HOST: engine.host, DOCKER_NETWORK: 'host' },
          },
          async ({ gateways: [a], shop }) => {
            const before = (await a!.post()).body.run_id;
            const release = await shop.hold();
            const runId = await a!.begin();
            while (!(await a!.log()).includes(`"run_id":"${runId}","table":"payments"`)) await sleep(50);
            await engine.stop(signal);
            await engine.start();
            const { error } = await a!.endOf(runId);
            // Whoever could not remove its container while there was no daemon leaves it to the reaper.
            const containers = () => engine.docker('ps', '--all', '--quiet');
            expect(await settled(containers, (ids) => ids === '')).toBe('');
            expect((await a!.get('/api/ingesta/postgresql/latest')).body.run_id).toBe(before);
            await release();
            expect((await a!.post()).status).toBe(200);
            // A daemon that is told to end lets its scripts end first, so that one may be heard to have been stopped.
            const told = signal === 'SIGTERM' ? ['RUNNER_UNAVAILABLE', 'RUN_CANCELLED'] : ['RUNNER_UNAVAILABLE'];
            expect(told).toContain(error.code);
          },
        ),
      120_000,
    );
  },
);
