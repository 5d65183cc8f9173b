import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '@ingesta/kit';

/** How often a folder in use says so, by its time. */
const BEAT_MS = 60_000;
/** Whoever has said nothing for so long is dead: processes of other machines may share the folder, and clocks differ. */
const DEAD_MS = 60 * 60_000;
const NAME = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/**
 * Makes the folder of one process's own files, whose name is a UUID, and keeps its time fresh for as long as the process
 * lives. Those beside it whose processes were killed long ago are removed. Throws where the folder cannot be made.
 */
export async function openWorkFolder(folder: string, beatMs = BEAT_MS): Promise<void> {
  await makeFolder(folder);
  const beat = async () => {
    // It was taken for dead where this process was paused for an hour.
    await makeFolder(folder);
    await utimes(folder, new Date(), new Date());
  };
  // One that fails is as if it had come later: the next one will do.
  setInterval(() => void beat().catch(() => undefined), beatMs).unref();
  await removeDead(dirname(folder));
}

async function removeDead(work: string): Promise<void> {
  for (const name of await readdir(work)) {
    if (!NAME.test(name)) continue;
    const folder = join(work, name);
    // Another process may be removing it, too.
    const facts = await stat(folder).catch(() => null);
    if (facts && Date.now() - facts.mtimeMs > DEAD_MS) await rm(folder, { recursive: true, force: true });
  }
}
