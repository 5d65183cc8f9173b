import { type Lake, LakeError } from '@ingesta/kit';
import { ApiError } from '../errors';

/**
 * Proves that the lake honours `If-None-Match` and `If-Match`, on which everything here rests: a store that ignores them
 * would let two gateways publish over one another. Throws `LAKE_DENIED` where it does not, `LakeError` where nobody can
 * tell now. Leaves one small object behind where it may not delete.
 */
export async function probeLake(lake: Lake, gateway: string): Promise<void> {
  const key = `_ingesta/probe/${gateway.replace(/[^A-Za-z0-9_-]/g, '-')}.json`;
  const body = (text: string) => Buffer.from(JSON.stringify({ probe: text, gateway }));
  const first = await lake.putIfAbsent(key, body('first'));
  try {
    if (await takes(lake.putIfAbsent(key, body('again')))) throw ignores('If-None-Match');
    const second = await lake.putIfMatch(key, body('second'), first.etag);
    if (await takes(lake.putIfMatch(key, body('third'), first.etag))) throw ignores('If-Match');
    const stored = await lake.get(key);
    if (stored?.etag !== second.etag) throw ignores('If-Match');
  } finally {
    await lake.delete(key).catch(() => undefined); // Deleting is no right that a gateway needs.
  }
}

async function takes(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof LakeError && error.kind === 'precondition') return false;
    throw error;
  }
}

const ignores = (header: string) =>
  new ApiError('LAKE_DENIED', `The lake ignores ${header}: two gateways could overwrite each other's runs`, {
    hint: 'Use a store with conditional writes: AWS S3, MinIO, versitygw, Ceph from Squid on, or a folder.',
  });
