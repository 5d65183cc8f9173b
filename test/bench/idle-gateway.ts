import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../services/command';
import { freePort } from '../services/server-process';
import { PREFIX } from './image-prefix';
import type { Subject } from './prepare';

const RUNS = 10;
const IDLE_MS = 15_000;

/** What `docker stats` shows of the gateway's container, idle after ten runs. */
export async function measureIdleGateway({ settings }: Subject): Promise<void> {
  const port = await freePort();
  const socket = (await runCommand('stat', ['-c', '%g', '/var/run/docker.sock'])).trim();
  const variables = Object.entries({ ...settings, HOST: '127.0.0.1', PORT: String(port) });
  const started = await runCommand('docker', [
    ...['run', '--detach', '--rm', '--network=host', `--group-add=${socket}`],
    '--volume=/var/run/docker.sock:/var/run/docker.sock',
    ...variables.flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    `${PREFIX}gateway:latest`,
  ]);
  const container = started.trim();
  const usage = async () =>
    (await runCommand('docker', ['stats', '--no-stream', '--format', '{{.MemUsage}}', container])).split(' / ')[0]!;
  try {
    await sleep(3000);
    const atStart = await usage();
    for (let run = 0; run < RUNS; run++) {
      const answer = await fetch(`http://127.0.0.1:${port}/api/ingesta/postgresql`, { method: 'POST' });
      if (!answer.ok) throw new Error(`The POST failed: ${await answer.text()}`);
      await answer.arrayBuffer();
    }
    await sleep(IDLE_MS);
    process.stdout.write(
      `\nGateway container (docker stats): ${atStart} at start, ${await usage()} idle after ${RUNS} runs\n`,
    );
  } finally {
    await runCommand('docker', ['stop', '--time', '5', container]);
  }
}
