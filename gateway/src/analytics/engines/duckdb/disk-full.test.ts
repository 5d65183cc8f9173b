import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../../../../test/services/command';
import { describeWith } from '../../../../../test/services/need';
import { givenLake } from '../../../testing/given';
import { givenEngine } from '../testing/given-engine';
import { exportGiven, given } from '../testing/given-table';

const never = () => new AbortController().signal;
const MIB = 1024 * 1024;

describeWith(['namespaces'], 'a cache folder whose disk is full', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-full-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each([
    ['the copy of the CSV', 4],
    ['the Parquet file', 12],
  ])('is told as that while %s is written, and serves again once there is room', async (_, sizeMiB) => {
    const lake = await givenLake();
    const own = await givenEngine(lake.env, { cacheFolder: folder });
    await runCommand('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', folder]);
    try {
      const rows = Array.from({ length: 10 }, () => [randomBytes((MIB * 3) / 4).toString('base64')]);
      const entry = await exportGiven(lake.lake, { table: 'big', columns: [given('t', 'text')], rows });
      const twin = () => own.engine.makeTwin('mysql', 'big', entry, never());
      await expect(twin()).rejects.toMatchObject({
        code: 'INTERNAL',
        message: `The disk of the cache folder ${folder} is full`,
        hint: expect.stringContaining('ANALYTICS_CACHE_DIR'),
      });
      await runCommand('mount', ['-o', 'remount,size=64m', folder]);
      expect(await twin()).toMatchObject({ columns: [{ name: 't' }] });
    } finally {
      await own.close();
      await lake.remove();
      await runCommand('umount', [folder]);
    }
  });
});
