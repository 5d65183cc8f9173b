import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { fails, growthWhileCreating, lakeSuite } from '../testing/lake-suite';
import { exclusively } from './file-lock';
import { FolderLake } from './folder-lake';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lake-'));
});
afterAll(() => rm(folder, { recursive: true }));

const temporaries = () => readdir(join(folder, '.lake/tmp')).catch(() => []);

lakeSuite('FolderLake', async () => new FolderLake(folder), {
  unfinished: async () => (await temporaries()).length,
});

const body = async function* (text = 'x') {
  yield Buffer.from(text);
};
const CSV = { contentType: 'text/csv' };

describe('FolderLake', () => {
  it.each(['../x', 'a/../x', '/x', 'a//x', 'a/', '', '.lake/tmp/x', 'a\0b', 'a\\b'])(
    'refuses the key %j',
    async (key) => {
      const lake = new FolderLake(folder);
      await fails('denied', lake.create(key, body(), CSV));
      await fails('denied', lake.get(key));
    },
  );

  it('says that the folder is missing rather than making one beside the mount', async () => {
    const lake = new FolderLake(join(folder, 'not-mounted'));
    await fails('denied', lake.check());
    await fails('denied', lake.create('a.csv', body(), CSV));
    await expect(stat(join(folder, 'not-mounted'))).rejects.toThrow('ENOENT');
  });

  it('writes files that other users can read', async () => {
    await new FolderLake(folder).create('mode/a.csv', body(), CSV);
    expect((await stat(join(folder, 'mode/a.csv'))).mode & 0o777).toBe(0o644);
    expect((await stat(join(folder, 'mode'))).mode & 0o777).toBe(0o755);
  });

  it("removes dead processes' temporary files after a day, not before", async () => {
    await mkdir(join(folder, '.lake/tmp'), { recursive: true });
    for (const name of ['old', 'young']) await writeFile(join(folder, '.lake/tmp', name), '');
    const yesterday = Date.now() / 1000 - 25 * 3600;
    await utimes(join(folder, '.lake/tmp/old'), yesterday, yesterday);
    await new FolderLake(folder).create('swept.csv', body(), CSV);
    expect(await temporaries()).toEqual(['young']);
    await rm(join(folder, '.lake/tmp/young'));
  });

  it('loses no update of several processes, also after others were killed at it', async () => {
    const program = join(folder, '.increments.cjs');
    const source = `
      import { FolderLake } from ${JSON.stringify(join(__dirname, 'folder-lake.ts'))};
      const lake = new FolderLake(process.argv[2]);
      const work = async () => {
        for (let done = 0; done < 25; ) {
          const { body, etag } = await lake.get('processes.json');
          const next = Buffer.from(String(Number(body) + 1));
          await lake.putIfMatch('processes.json', next, etag).then(() => done++, (error) => {
            if (error.kind !== 'precondition') throw error;
          });
        }
      };
      work();`;
    buildSync({
      stdin: { contents: source, resolveDir: __dirname, loader: 'ts' },
      bundle: true,
      platform: 'node',
      outfile: program,
      logLevel: 'error',
    });
    const lake = new FolderLake(folder);
    await lake.putIfAbsent('processes.json', Buffer.from('0'));
    const run = (timeout: number) =>
      promisify(execFile)(process.execPath, [program, folder], { timeout, killSignal: 'SIGKILL' });
    const killed = Array.from({ length: 6 }, (_, n) => run(120 + 20 * n).catch(() => {}));
    await Promise.all(killed);
    const count = async () => Number((await lake.get('processes.json'))?.body);
    const before = await count();
    await Promise.all(Array.from({ length: 4 }, () => run(100_000)));
    expect(await count()).toBe(before + 100);
    for (const left of await temporaries()) await rm(join(folder, '.lake/tmp', left));
  });

  it('holds little of 300 MB while it creates them', async () => {
    expect(await growthWhileCreating(new FolderLake(folder), 5_000)).toBeLessThan(60);
  });
});

describe('exclusively', () => {
  it('removes the claim of a dead process and waits for a living one', async () => {
    const locks = join(folder, 'locks');
    const script = `
      const { readFileSync, readlinkSync, writeFileSync, mkdirSync } = require('node:fs');
      const line = readFileSync('/proc/self/stat', 'utf8');
      const started = line.slice(line.lastIndexOf(')') + 2).split(' ')[19];
      const space = readlinkSync('/proc/self/ns/pid').replace(/\\D/g, '');
      mkdirSync(process.argv[1], { recursive: true });
      writeFileSync(process.argv[1] + '/' + [space, process.pid, started, 'dead'].join('.'), '');`;
    expect(spawnSync(process.execPath, ['-e', script, locks]).status).toBe(0);
    // Our own id with another start time: the id was given out again.
    await writeFile(join(locks, `host.${process.pid}.1.dead`), '');
    const old = Date.now() / 1000 - 120;
    await utimes(join(locks, `host.${process.pid}.1.dead`), old, old);

    let busy = 0;
    await Promise.all(
      Array.from({ length: 5 }, () =>
        exclusively(locks, async () => {
          busy += 1;
          expect(busy).toBe(1);
          await new Promise((resolve) => setTimeout(resolve, 2));
          busy -= 1;
        }),
      ),
    );
    expect(await readdir(locks)).toEqual([]);
  });
});
