import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from './make-folder';

let at: string;
beforeEach(async () => {
  at = await mkdtemp(join(tmpdir(), 'ingesta-folder-'));
});
afterEach(() => rm(at, { recursive: true }));

describe('makeFolder', () => {
  it('makes every folder on the way, also when many make it at once', async () => {
    await Promise.all(Array.from({ length: 10 }, () => makeFolder(join(at, 'a/b/c'), 0o700)));
    expect((await stat(join(at, 'a/b/c'))).mode & 0o777).toBe(0o700);
    await makeFolder(join(at, 'a'));
  });

  it('says that a file is in the way', async () => {
    await writeFile(join(at, 'file'), '');
    await expect(makeFolder(join(at, 'file/x/y'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  // With Node's own `recursive` these turn for ever, in a thread that nothing can stop.
  it('ends where there can be no folder', async () => {
    await symlink('/proc', join(at, 'link'));
    for (const path of ['/proc/x', '/proc/x/y', '/proc/self/x', join(at, 'link/x/y')])
      await expect(makeFolder(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
