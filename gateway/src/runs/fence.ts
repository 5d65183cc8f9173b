import { type Lake, LakeError, type Pointer, pointerKey } from '@ingesta/kit';
import { ApiError } from '../errors';
import { type Clock, systemClock } from './clock';
import { type Current, readPointer } from './publication';

/** The lake may blink; a fence is worth a few tries. */
const PAUSES_MS = [100, 300, 1000, 3000];

/** The pointer as its holder's own fencing write left it: only over this ETag may the run be published. */
export interface Fence extends Current {
  database: string;
}

/**
 * Writes `epoch` into the pointer of a database, which keeps its manifest. From then on nobody with a lower epoch can
 * publish any more, however long ago it stopped looking at its lease (SlateDB's writer epochs). Throws `LEASE_LOST`
 * where a higher epoch stands there already.
 */
export async function fence(lake: Lake, database: string, epoch: number, clock: Clock = systemClock): Promise<Fence> {
  const key = pointerKey(database);
  for (let attempt = 0; ; attempt += 1) {
    const current = await readPointer(lake, database);
    const found = current?.pointer.epoch ?? 0;
    if (found > epoch) throw fenced(database, found, epoch);
    // Nobody else has this epoch: a write of ours whose answer was lost.
    if (current !== null && found === epoch) return { database, ...current };
    const pointer: Pointer = {
      epoch,
      manifest: current?.pointer.manifest ?? null,
      updated_at: new Date(clock.wall()).toISOString(),
    };
    const body = Buffer.from(JSON.stringify(pointer));
    try {
      const { etag } = await (current === null
        ? lake.putIfAbsent(key, body)
        : lake.putIfMatch(key, body, current.etag));
      return { database, pointer, etag, manifest: current?.manifest ?? null };
    } catch (error) {
      const pause = PAUSES_MS[attempt];
      if (!(error instanceof LakeError) || error.kind === 'denied' || pause === undefined) throw error;
      // Refused or not known: reading again tells.
      await clock.sleep(clock.jitter(pause));
    }
  }
}

export const fenced = (database: string, found: number, own: number): ApiError =>
  new ApiError('LEASE_LOST', `A later run of ${database} has taken over (epoch ${found} after ${own})`, { database });
