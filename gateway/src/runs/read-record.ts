import type { Lake } from '@ingesta/kit';
import type * as z from 'zod';

/** What stands under `key` is not the record that it should be. */
export class MalformedRecord extends Error {
  override readonly name = 'MalformedRecord';
  constructor(
    readonly key: string,
    cause: unknown,
  ) {
    super(`${key} is not the record that it should be: ${(cause as Error).message}`, { cause });
  }
}

/** A record and the ETag it was read under; null where there is none. Throws `LakeError` and `MalformedRecord`. */
export async function readRecord<T>(
  lake: Pick<Lake, 'get'>,
  key: string,
  schema: z.ZodType<T>,
): Promise<{ record: T; etag: string } | null> {
  const stored = await lake.get(key);
  if (stored === null) return null;
  try {
    return { record: schema.parse(JSON.parse(stored.body.toString('utf8'))), etag: stored.etag };
  } catch (cause) {
    throw new MalformedRecord(key, cause);
  }
}
