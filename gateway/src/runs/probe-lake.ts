import { randomUUID } from 'node:crypto';
import { isLakeFailure, type Lake, LakeError, PROBES } from '@ingesta/kit';
import { ApiError } from '../errors';

/**
 * Proves that the lake honours `If-None-Match` (on a put and on the completion of a multipart upload) and `If-Match`, on which
 * everything here rests: a store that ignores them would let two gateways publish over one another. Tells whether it lets us
 * delete. Throws `LAKE_DENIED` where a condition is ignored, `LakeError` where nobody can tell now. Leaves one small object
 * behind where it may not delete; what one leaves that breaks off goes with the sweep.
 */
export async function probeLake(lake: Lake, gateway: string): Promise<{ mayDelete: boolean }> {
  // A key of its own: what an earlier probe may have left says nothing about this one.
  const key = `${PROBES}${gateway.replace(/[^A-Za-z0-9_-]/g, '-')}-${randomUUID().slice(0, 8)}.json`;
  const body = (text: string) => Buffer.from(JSON.stringify({ probe: text, gateway }));
  const first = await lake.putIfAbsent(key, body('first'));
  let mayDelete = true;
  try {
    if (await takes(lake.putIfAbsent(key, body('again')))) throw ignores('If-None-Match');
    const whole = { contentType: 'application/json', inParts: true };
    if (await takes(lake.create(key, once(body('in parts')), whole)))
      throw ignores('If-None-Match on the completion of a multipart upload');
    const second = await lake.putIfMatch(key, body('second'), first.etag);
    if (await takes(lake.putIfMatch(key, body('third'), first.etag))) throw ignores('If-Match');
    const stored = await lake.get(key);
    if (stored === null) throw new LakeError('unavailable', 'the object of the probe is gone', 'Try again.');
    if (stored.etag !== second.etag) throw ignores('If-Match');
  } finally {
    // Deleting is no right that a gateway needs.
    await lake.delete(key).catch((error) => {
      mayDelete = !isLakeFailure(error, 'denied');
    });
  }
  return { mayDelete };
}

async function* once(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}

async function takes(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isLakeFailure(error, 'precondition')) return false;
    throw error;
  }
}

const ignores = (header: string) =>
  new ApiError('LAKE_DENIED', `The lake ignores ${header}: two gateways could overwrite each other's runs`, {
    hint: 'Use a store with conditional writes: AWS S3, MinIO, versitygw, Ceph from Squid on, or a folder.',
  });
