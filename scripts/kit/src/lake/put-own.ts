import { type Lake, LakeError } from './lake';

/**
 * Creates a record that only its writer ever writes under this key. An answer that was lost is looked up: what stands there
 * with the same bytes is ours. Throws `LakeError`.
 */
export async function putOwn(lake: Lake, key: string, record: unknown): Promise<void> {
  const body = Buffer.from(JSON.stringify(record));
  try {
    await lake.putIfAbsent(key, body);
  } catch (error) {
    if (!(error instanceof LakeError) || error.kind === 'denied') throw error;
    const stored = await lake.get(key).catch(() => null);
    if (!stored?.body.equals(body)) throw error;
  }
}
