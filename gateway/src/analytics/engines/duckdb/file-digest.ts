import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

/** Bytes and lower-case hex SHA-256 of something that went by. */
export interface Digest {
  bytes: number;
  sha256: string;
}

/** Of a file that is read whole. */
export const CHUNK_BYTES = 1024 * 1024;

/** Reads a whole file. */
export async function fileDigest(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Writes a stream into a new file, hashing each chunk while it is being written. */
export async function writeWithDigest(path: string, body: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of body) {
      const written = file.writeFile(chunk);
      hash.update(chunk);
      bytes += chunk.length;
      await written;
    }
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}
