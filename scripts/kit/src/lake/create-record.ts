import { setTimeout as sleep } from 'node:timers/promises';
import { type Lake, LakeError } from './lake';

/** Pauses between the tries of a write that everything else waits for. */
const PAUSES_MS = [200, 1000, 3000];

/** How to wait between two tries. */
export interface Pauses {
  /** Resolves after `ms`, or at once when `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** By this process's timers. */
export const timers: Pauses = {
  sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
};

/**
 * Creates a record that only its writer ever writes under this key; gives its ETag. An answer that was lost, or a
 * refusal of one's own earlier try, is looked up: what stands there with the same bytes is ours. What did not arrive is
 * sent again, but not once `signal` is aborted. Throws `LakeError`.
 */
export async function createRecord(
  lake: Pick<Lake, 'putIfAbsent' | 'get'>,
  key: string,
  body: Buffer,
  { signal, pauses = timers }: { signal?: AbortSignal; pauses?: Pauses } = {},
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
      await pauses.sleep(pause, signal);
      if (signal?.aborted) throw error;
    }
  }
}
