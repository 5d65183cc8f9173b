import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createBucket } from '../e2e/harness/s3';
import { describeWith } from '../services/need';
import { settled, startWatched } from './many-runs';

/** Connections to the lake that are kept, where more calls met than before. A leak of a run's would be sixty. */
const SOME = 8;
const ROOT = join(__dirname, '../..');

async function leavesNothingOpen(settings: (folder: string) => Promise<Record<string, string>>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-runs-'));
  const gateway = await startWatched(ROOT, folder, await settings(folder));
  try {
    // What is opened once stays open: the program, its connections to the lake.
    await gateway.run(12);
    const before = await settled(gateway);
    await gateway.run(60);
    const { descriptors, resources } = await settled(gateway, before);
    expect(descriptors).toBeLessThanOrEqual(before.descriptors + SOME);
    expect(resources).toBeLessThanOrEqual(before.resources + SOME);
  } finally {
    expect(await gateway.stop()).toBe(0);
    await rm(folder, { recursive: true, force: true });
  }
}

describe('a gateway after sixty runs', () => {
  it(
    'has no file, socket or timer open that it had not before, on a folder lake',
    () => leavesNothingOpen(async (folder) => ({ LAKE_URL: pathToFileURL(join(folder, 'lake')).href })),
    300_000,
  );
});

describeWith(['s3'], 'a gateway after sixty runs', () => {
  it(
    'has no file, socket or timer open that it had not before, on a bucket',
    () => leavesNothingOpen(async () => (await createBucket()).settings(false)),
    300_000,
  );
});
