import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openWorkFolder } from './work-folder';

const [OWN, DEAD, ALIVE] = [1, 2, 3].map((n) => `01890a5d-ac96-474b-bcce-00000000000${n}`) as [string, string, string];
const LONG_AGO = new Date(Date.now() - 2 * 60 * 60_000);

let work: string;
let beats: jest.SpyInstance;
beforeEach(async () => {
  beats = jest.spyOn(globalThis, 'setInterval');
  work = await mkdtemp(join(tmpdir(), 'ingesta-work-test-'));
});
afterEach(async () => {
  // In a process of its own nobody stops the beats.
  for (const { value } of beats.mock.results) clearInterval(value);
  jest.restoreAllMocks();
  await rm(work, { recursive: true, maxRetries: 5 });
});

/** A folder with a file in it, last used then. */
async function leave(name: string, used: Date): Promise<string> {
  const folder = join(work, name);
  await mkdir(join(folder, 'spill'), { recursive: true });
  await writeFile(join(folder, 'spill/x'), 'x');
  await utimes(folder, used, used);
  return folder;
}

it('removes what processes left that were killed long ago, and nothing else', async () => {
  const dead = await leave(DEAD, LONG_AGO);
  const others = [await leave(ALIVE, new Date()), await leave('not-ours', LONG_AGO)];
  await openWorkFolder(join(work, OWN));
  expect(existsSync(dead)).toBe(false);
  expect(others.map(existsSync)).toEqual([true, true]);
  expect(existsSync(join(work, OWN))).toBe(true);
});

it('does not look dead while its process lives', async () => {
  const own = join(work, OWN);
  await openWorkFolder(own, 10);
  await utimes(own, LONG_AGO, LONG_AGO);
  while ((await stat(own)).mtimeMs <= LONG_AGO.getTime() + 1) await sleep(5);
  await openWorkFolder(join(work, ALIVE));
  expect(existsSync(own)).toBe(true);
});
