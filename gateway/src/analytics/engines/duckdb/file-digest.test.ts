import { createHash } from 'node:crypto';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestWhile } from './file-digest';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingesta-digest-'));
  path = join(folder, 'file');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it.each([0, 1, 3])('hashes a file while it grows, with pauses of %i looks', async (looks) => {
  const pieces = [1, 0, 3_000_000, 17, 1024 * 1024].map((size, i) => Buffer.alloc(size, i + 1));
  const { written, sha256 } = await digestWhile(path, async () => {
    const file = await open(path, 'w');
    for (const piece of pieces) {
      await file.writeFile(piece);
      if (looks > 0) await sleep(20 * looks);
    }
    await file.close();
    return 'done';
  });
  expect(written).toBe('done');
  expect(sha256).toBe(createHash('sha256').update(Buffer.concat(pieces)).digest('hex'));
});

it('takes nothing of what an attempt before has left', async () => {
  await writeFile(path, 'left');
  const { sha256 } = await digestWhile(path, async () => {
    await sleep(50);
    await writeFile(path, 'new');
  });
  expect(sha256).toBe(createHash('sha256').update('new').digest('hex'));
});

it('throws what the writer throws', async () => {
  await expect(
    digestWhile(path, async () => {
      await writeFile(path, Buffer.alloc(5_000_000));
      throw new Error('no space');
    }),
  ).rejects.toThrow('no space');
});
