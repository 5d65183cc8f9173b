import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBucket } from '../e2e/harness/s3';
import { createShop } from '../faults/harness/shop';
import { type LoadPlan, putLoad } from '../load/load';
import { startGateway } from '../services/gateway-process';
import { ROOT } from './root';
import { withServices } from './with-services';

const PLAN: LoadPlan = { followers: 1000, perSecond: 500, seconds: 60 };

/** Many followers of one run and a poll of `/health` that no balancer would dare, on one gateway. */
export function measureLoad(): Promise<void> {
  return withServices(['postgresql', 's3'], [], async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ingesta-load-'));
    const [shop, bucket] = [await createShop(1000), await createBucket()];
    const { host, port } = shop.address;
    const settings = { RUNNER: 'process', ...bucket.settings(false), ...shop.settings(host, port) };
    const flags = ['--optimize-for-size', '--max-semi-space-size=1', '--max-old-space-size=256'];
    const gateway = await startGateway(ROOT, folder, settings, flags);
    try {
      const idle = megabytes(gateway.pid);
      const release = await shop.hold();
      const started = await fetch(`${gateway.url}/api/ingesta/postgresql`, {
        method: 'POST',
        headers: { Prefer: 'respond-async' },
      });
      const { run_id } = (await started.json()) as { run_id: string };
      const figures = await putLoad(gateway.url, run_id, PLAN);
      const loaded = megabytes(gateway.pid);
      await release();
      const ended = await endOf(`${gateway.url}/api/ingesta/runs/${run_id}`);
      const failures = Object.entries(figures.failures).map(([what, count]) => `${count} x ${what}`);
      const ms = (value: number) => `${value.toFixed(1)} ms`;
      process.stdout.write(
        `\nLoad: ${PLAN.followers} followers of one run (${figures.followed} to the end) and ${PLAN.perSecond} GETs of /health a ` +
          `second for ${PLAN.seconds} s (${figures.asked})\n` +
          `  failures: ${failures.join(', ') || 'none'}; the run ${ended}\n` +
          `  GETs: median ${ms(figures.median)}, 99 % ${ms(figures.p99)}, longest ${ms(figures.longest)}\n` +
          `  resident memory of the gateway: ${idle} MB idle, ${loaded} MB under load\n`,
      );
      if (failures.length > 0 || ended !== 'succeeded') throw new Error('the load was not borne');
    } finally {
      await gateway.stop();
      await shop.drop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function endOf(url: string): Promise<string> {
  for (;;) {
    const { state } = (await (await fetch(url)).json()) as { state: string };
    if (state !== 'running') return state;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const megabytes = (pid: number): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024);
