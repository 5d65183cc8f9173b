import { type Lake, LakeError } from '@ingesta/kit';
import { type Clock, systemClock } from './clock';

/** Pauses between the tries of a write that everything else waits for. */
const PAUSES_MS = [200, 1000, 3000];

/**
 * Creates a record that only its writer ever writes under this key; gives its ETag. An answer that was lost, or a
 * refusal of one's own earlier try, is looked up: what stands there with the same bytes is ours. Throws `LakeError`.
 */
export async function createRecord(
  lake: Lake,
  key: string,
  body: Buffer,
  clock: Clock = systemClock,
): Promise<{ etag: string }> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await lake.putIfAbsent(key, body);
    } catch (error) {
      if (!(error instanceof LakeError) || error.kind === 'denied') throw error;
      const stored = await lake.get(key).catch(() => null);
      if (stored?.body.equals(body)) return { etag: stored.etag };
      const pause = PAUSES_MS[attempt];
      if (stored !== null || pause === undefined) throw error;
      await clock.sleep(pause);
    }
  }
}
