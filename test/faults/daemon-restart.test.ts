import { setTimeout as sleep } from 'node:timers/promises';
import { buildForeignSource, E2E_PREFIX } from '../e2e/harness/images';
import { describeWith } from '../services/need';
import { type OwnDockerd, startOwnDockerd } from './harness/own-dockerd';
import { inWorld } from './harness/world';

describeWith(['docker', 'dockerd', 'postgresql', 's3'], 'fault 22: a Docker daemon that restarts during a run', () => {
  let villain: Awaited<ReturnType<typeof buildForeignSource>>;
  let engine: OwnDockerd;
  beforeAll(async () => {
    villain = await buildForeignSource('villain');
    engine = await startOwnDockerd();
    await engine.take(`${E2E_PREFIX}villain:latest`);
  }, 300_000);
  afterAll(async () => {
    await engine?.stop();
    await villain?.remove();
  }, 60_000);

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'after %s: the run ends, says so, and nothing is left on it',
    (signal) =>
      inWorld({ gateways: 0 }, async ({ addGateway }) => {
        const gateway = await addGateway({
          settings: {
            RUNNER: 'docker',
            DOCKER_HOST: engine.host,
            DOCKER_NETWORK: 'host',
            IMAGE_PREFIX: E2E_PREFIX,
            SCRIPTS_DIR: villain.scripts,
            VILLAIN_MODE: 'patient',
            RUN_TIMEOUT: '20',
          },
        });
        const runId = await gateway.begin('villain');
        const containers = () => engine.docker('ps', '-aq', '--filter', `label=ingesta.run=${runId}`);
        while ((await engine.docker('ps', '-q', '--filter', `label=ingesta.run=${runId}`)).trim() === '')
          await sleep(100);
        await engine.restart(signal);
        const { state, error } = await gateway.endOf(runId);
        expect([state, ['SCRIPT_FAILED', 'RUN_TIMEOUT', 'RUNNER_UNAVAILABLE'].includes(error.code)]).toEqual([
          'failed',
          true,
        ]);
        expect((await containers()).trim()).toBe('');
        // And the gateway goes on with the daemon that is there now.
        const next = await gateway.begin('villain');
        expect((await gateway.cancel(next)).status).toBe(200);
        expect((await gateway.endOf(next)).state).toBe('cancelled');
      }),
    120_000,
  );
});
