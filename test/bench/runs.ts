import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Held, settled, startWatched } from '../load/many-runs';
import { ROOT } from './root';

const EVERY = 100;

/** What a gateway holds after each hundred of `runs` quick runs of the process runner: memory after collection, files, sockets. */
export async function measureRuns(runs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ingesta-runs-'));
  const gateway = await startWatched(ROOT, folder, { LAKE_URL: pathToFileURL(join(folder, 'lake')).href });
  const tell = (done: number, { rssMb, heapMb, descriptors, resources }: Held) =>
    process.stdout.write(`| ${done} | ${rssMb} | ${heapMb} | ${descriptors} | ${resources} |\n`);
  try {
    process.stdout.write('\n| runs | RSS, MB | heap, MB | descriptors | resources |\n|---:|---:|---:|---:|---:|\n');
    tell(0, await settled(gateway));
    let first: Held | undefined;
    for (let done = 0; done < runs; ) {
      const next = Math.min(EVERY, runs - done);
      await gateway.run(next);
      done += next;
      const held = await settled(gateway, first);
      first ??= held;
      tell(done, held);
    }
  } finally {
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
