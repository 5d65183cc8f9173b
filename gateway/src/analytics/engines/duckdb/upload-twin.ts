import { createReadStream } from 'node:fs';
import { dirname } from 'node:path/posix';
import { isLakeFailure, type Lake } from '@ingesta/kit';
import { CHUNK_BYTES } from './file-digest';

/** A Parquet file, and what its object says of itself. */
export interface TwinFile {
  path: string;
  sha256: string;
  metadata: Readonly<Record<string, string>>;
}

const contentType = 'application/vnd.apache.parquet';

/**
 * Uploads a twin's file, also `over` what lies under its key: who reads there gets the one object or the other, whole.
 * Gives its bytes. Throws `LakeError`, `precondition` where another process was first. Aborting `signal` ends it, and no
 * half-done upload stays.
 */
export async function uploadTwin(
  lake: Lake,
  file: TwinFile,
  key: string,
  over: boolean,
  signal: AbortSignal,
): Promise<number> {
  if (!over) return (await create(lake, file, key, signal)).bytes;
  // Named after its content: whoever else brings the same brings all of it.
  const beside = `${dirname(key)}-${file.sha256.slice(0, 16)}/data.parquet`;
  const bytes = await create(lake, file, beside, signal).then(
    (made) => made.bytes,
    async (error) => {
      const there = isLakeFailure(error, 'precondition') ? await lake.head(beside) : null;
      if (there === null) throw error;
      return there.bytes;
    },
  );
  await lake.copy({ key: beside, bytes }, key, { contentType, metadata: file.metadata, signal });
  await lake.delete(beside).catch((error) => {
    // A gateway may lack the right to delete; then it stays, and nobody reads it.
    if (!isLakeFailure(error, 'denied')) throw error;
  });
  return bytes;
}

const create = (lake: Lake, { path, metadata }: TwinFile, key: string, signal: AbortSignal) =>
  lake.create(key, createReadStream(path, { highWaterMark: CHUNK_BYTES }), { contentType, metadata, signal });
