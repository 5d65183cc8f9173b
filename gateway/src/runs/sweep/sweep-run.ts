import { ATTEMPT_METADATA, attemptObjectsSchema, type Lake, openUploadSchema, runKeys } from '@ingesta/kit';
import { forEachOf } from '../for-each-of';
import { isPublished } from '../publication';
import { readRecord } from '../read-record';
import { openUploads } from './open-uploads';

/** What went. */
export interface Swept {
  objects: number;
  uploads: number;
}

/**
 * Removes what a run that is over left in the lake: the objects and half-done uploads that its script recorded before it made
 * them, unless the pointer, read again, leads to the run after all. An object goes only if the attempt that recorded its key
 * also made it. Throws `LakeError`, and `MalformedRecord` for what foreign scripts recorded in their own way.
 */
export async function sweepRun(lake: Lake, database: string, runId: string): Promise<Swept> {
  const keys = runKeys(database, runId);
  const swept = { objects: 0, uploads: 0 };
  if (await isPublished(lake, database, keys.manifest)) return swept;
  const recorded = new Map<string, string>();
  for await (const { key } of lake.list(keys.folder)) {
    if (keys.isObjects(key)) {
      const planned = await readRecord(lake, key, attemptObjectsSchema);
      for (const one of planned?.record.keys ?? []) recorded.set(one, planned!.record.nonce);
    } else if (keys.isUpload(key)) {
      const upload = await readRecord(lake, key, openUploadSchema);
      if (upload !== null) await lake.abortUpload(upload.record.key, upload.record.upload_id);
    }
  }
  swept.uploads = await abortUnrecorded(lake, recorded);
  await forEachOf(recorded, async ([key, nonce]) => {
    const head = await lake.head(key);
    if (head?.metadata?.[ATTEMPT_METADATA] !== nonce) return;
    await lake.delete(key);
    swept.objects += 1;
  });
  return swept;
}

/**
 * Uploads under recorded keys whose ids nobody could record: the answer to their creation was lost, or the script was killed
 * right behind it. A key belongs to one attempt alone, so they can only be its own.
 */
async function abortUnrecorded(lake: Lake, recorded: ReadonlyMap<string, string>): Promise<number> {
  const [first] = recorded.keys();
  if (first === undefined) return 0;
  let aborted = 0;
  for await (const { key, uploadId } of openUploads(lake, commonPrefix([...recorded.keys()]))) {
    if (!recorded.has(key)) continue;
    await lake.abortUpload(key, uploadId);
    aborted += 1;
  }
  return aborted;
}

/** What all of them begin with. */
export function commonPrefix(keys: readonly string[]): string {
  const sorted = [...keys].sort();
  const [low, high] = [sorted[0]!, sorted.at(-1)!];
  let length = 0;
  while (length < low.length && low[length] === high[length]) length += 1;
  return low.slice(0, length);
}
