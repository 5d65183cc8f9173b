import { randomUUID } from 'node:crypto';
import { open, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from './make-folder';

/** Where processes cannot see each other (two containers), a claim this old has lost its owner: work takes milliseconds. */
const FOREIGN_CLAIM_MS = 60_000;

/** Queue per folder inside this process, so that only processes contend for files. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Runs `work` while no other process of this host runs work under the same `folder`.
 *
 * Everyone writes a claim under a name of its own, naming its process, then looks around: who sees another living claim
 * withdraws and tries again. A dead process's claim is just removed. Nothing is ever taken over, so no taker can hit a
 * successor by mistake.
 */
export async function exclusively<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const before = queues.get(folder) ?? Promise.resolve();
  const mine = before.then(() => claimed(folder, work));
  const settled = mine.catch(() => {});
  queues.set(folder, settled);
  try {
    return await mine;
  } finally {
    if (queues.get(folder) === settled) queues.delete(folder);
  }
}

async function claimed<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await makeFolder(folder);
  const self = await processName(process.pid);
  const name = `${await namespace()}.${process.pid}.${self}.${randomUUID()}`;
  const claim = join(folder, name);
  while (true) {
    await (await open(claim, 'wx')).close();
    try {
      if (await alone(folder, name)) return await work();
    } finally {
      await rm(claim, { force: true });
    }
    await sleep(1 + Math.random() * 20);
  }
}

async function alone(folder: string, own: string): Promise<boolean> {
  for (const name of await readdir(folder)) {
    if (name === own) continue;
    if (await alive(folder, name)) return false;
    await rm(join(folder, name), { force: true });
  }
  return true;
}

async function alive(folder: string, name: string): Promise<boolean> {
  const [space, pid, started] = name.split('.');
  if (space === (await namespace())) return (await processName(Number(pid))) === started;
  const claim = await stat(join(folder, name)).catch(() => null);
  return claim !== null && Date.now() - claim.mtimeMs < FOREIGN_CLAIM_MS;
}

/** The process's start time, which tells it from a later one with the same id; `gone` if there is none. */
async function processName(pid: number): Promise<string> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'gone';
  }
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // From field 3 on; the second, in parentheses, may hold spaces. Systems without /proc know the id only.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? 'gone' : (fields[19] ?? 'unknown');
}

/** Who shares process ids with us: containers have their own. */
const namespace = async (): Promise<string> =>
  (await readlink('/proc/self/ns/pid').catch(() => 'host')).replace(/\D/g, '') || 'host';
