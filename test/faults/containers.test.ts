import { readFileSync } from 'node:fs';
import { buildForeignSource, E2E_PREFIX } from '../e2e/harness/images';
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

  const launch = (mode: string, look: (told: { message: string }) => unknown) =>
    inWorld(
      { ...dockerWorld({ SCRIPTS_DIR: villain.scripts, VILLAIN_MODE: mode, SCRIPT_MEMORY_MB: '128' }), gateways: 1 },
      async ({ gateways: [a] }) => {
        const { status, body } = await a!.post('villain');
        expect([status, body.error.code]).toEqual([502, 'SCRIPT_FAILED']);
        await look(body.error);
        expect((await a!.get('/livez')).status).toBe(200);
      },
    );

  describe('fault 19', () => {
    it('that takes more memory than it may is killed, and the answer says why', () =>
      launch('oom', ({ message }) => expect(message).toMatch(/memory/i)));
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
