import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../services/command';
import { startGateway } from '../services/gateway-process';
import { PREFIX } from './image-prefix';
import type { Subject } from './prepare';
import { ROOT } from './root';
import { median, timed } from './statistics';

const ROUNDS = 15;

/**
 * From POST to reply for a table of ten rows, against the floor: what the engine itself takes for a container that does
 * nothing. Interleaved, medians.
 */
export async function measurePost({ nodeImage, settings }: Subject): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-bench-'));
  const gateway = await startGateway(ROOT, folder, settings);
  const image = `${PREFIX}postgresql:latest`;
  const inScript: number[] = [];
  const post = async () => {
    const response = await fetch(`${gateway.url}/api/ingesta/postgresql`, { method: 'POST' });
    const body = (await response.json()) as { duration_ms: number; result?: { ten?: { registros: number } } };
    if (body.result?.ten?.registros !== 10) throw new Error(`The POST failed: ${JSON.stringify(body)}`);
    inScript.push(body.duration_ms);
  };
  const floors = {
    'docker run --rm <base image> true': ['run', '--rm', nodeImage, 'true'],
    'docker run --rm <script image>, node -e 0': [
      'run',
      '--rm',
      '--entrypoint',
      '/usr/local/bin/node',
      image,
      '-e',
      '0',
    ],
    'docker run --rm <script image> --describe': ['run', '--rm', image, '--describe'],
  };
  const times = new Map<string, number[]>([...Object.keys(floors), 'POST → reply, 10 rows'].map((name) => [name, []]));
  try {
    // Once unmeasured: image layers, connections and the S3 client get warm.
    await post();
    inScript.length = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, args] of Object.entries(floors)) {
        times.get(name)!.push(await timed(() => runCommand('docker', args)));
      }
      times.get('POST → reply, 10 rows')!.push(await timed(post));
    }
  } finally {
    await gateway.stop();
    await rm(folder, { recursive: true, force: true });
  }
  const medians = [...times].map(([name, values]): [string, number] => [name, median(values)]);
  const floor = medians[0]![1];
  process.stdout.write(`\nPOST to reply over the docker runner, ${ROUNDS} rounds, medians\n`);
  for (const [name, value] of medians) {
    process.stdout.write(`  ${name.padEnd(46)} ${value.toFixed(0).padStart(5)} ms  ${(value / floor).toFixed(2)} ×\n`);
  }
  process.stdout.write(`  of the POST, the script's own work: ${median(inScript).toFixed(0)} ms\n`);
}
