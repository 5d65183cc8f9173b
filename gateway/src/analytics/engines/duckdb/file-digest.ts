import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

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

/** How long a file that is being written is left alone once all of it was read. */
const LOOK_EVERY_MS = 20;

/**
 * Runs `write`, which makes a file at `path` from its start to its end, and hashes the file meanwhile. Throws what `write`
 * throws.
 */
export async function digestWhile<T>(path: string, write: () => Promise<T>): Promise<{ written: T; sha256: string }> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  // Empty, whatever an attempt before has left.
  const file = await open(path, 'w+');
  try {
    let isWritten = false;
    const writing = write().finally(() => {
      isWritten = true;
    });
    // It may fail while the file is being read.
    writing.catch(() => undefined);
    for (;;) {
      // Looked at before the file is: what was written until then is read.
      const isLast = isWritten;
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      hash.update(buffer.subarray(0, bytesRead));
      if (bytesRead > 0) continue;
      if (isLast) return { written: await writing, sha256: hash.digest('hex') };
      await Promise.race([writing, sleep(LOOK_EVERY_MS)]);
    }
  } finally {
    await file.close();
  }
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
