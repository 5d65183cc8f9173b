import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Lake, LakeError } from '@ingesta/kit';
import { CsvCheck, CsvProblem } from './csv-check';
import type { ClaimedObject } from './verifier';

/**
 * Reads one object back and compares it with what its script said: bytes, SHA-256, CSV, columns, rows. Gives what does not
 * hold, or null. Throws `LakeError` where the lake does not let it be read.
 */
export async function readBack(lake: Lake, claimed: ClaimedObject): Promise<string | null> {
  const body = await lake.read(claimed.key);
  if (body === null) return `the object of ${claimed.table} does not exist`;
  const hash = createHash('sha256');
  const check = new CsvCheck(claimed.columns);
  let bytes = 0;
  async function* hashed() {
    for await (const chunk of body!) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  const parse = async (chunks: AsyncIterable<Uint8Array>) => {
    for await (const chunk of chunks) check.update(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  };
  let problem: string | null = null;
  let rows = 0;
  try {
    if (claimed.compressed) await pipeline(Readable.from(hashed()), createGunzip(), parse);
    else await parse(hashed());
    rows = check.end();
  } catch (error) {
    if (error instanceof LakeError) throw error;
    if (error instanceof CsvProblem) problem = `the CSV of ${claimed.table} is broken: ${error.message}`;
    // What zlib throws has a code of its own.
    else if (/^Z_/.test((error as NodeJS.ErrnoException).code ?? '')) problem = `${claimed.table} cannot be unpacked`;
    else throw error;
  }
  // The digest tells more, but only of what was read to its end.
  if (problem !== null) return problem;
  if (bytes !== claimed.bytes) return `${bytes} bytes of ${claimed.table} can be read, not ${claimed.bytes}`;
  if (hash.digest('hex') !== claimed.sha256) return `the stored bytes of ${claimed.table} have another SHA-256`;
  if (rows !== claimed.rows) return `${claimed.table} has ${rows} rows, not ${claimed.rows}`;
  return null;
}
