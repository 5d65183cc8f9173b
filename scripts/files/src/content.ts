import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { decode, type OnFallback } from './decode';
import { FileProblem } from './file-problem';
import type { Origin } from './origin';
import type { Encoding } from './settings';
import type { TableFile } from './table-files';

/** The text of a file as UTF-8, uncompressed. A chunk is valid until the next one. */
export function readText(
  origin: Origin,
  { file, gzipped }: TableFile,
  encoding: Encoding,
  signal: AbortSignal,
  onFallback?: OnFallback,
): AsyncGenerator<Uint8Array, void, undefined> {
  const body = origin.read(file, signal);
  return decode(gzipped ? gunzipped(body) : body, encoding, onFallback);
}

async function* gunzipped(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  // Streams read ahead: every chunk must be theirs.
  const done = pipeline(Readable.from(copies(body), { highWaterMark: 1 }), gunzip);
  done.catch(() => undefined);
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
    await done;
  } catch (error) {
    if (!/^Z_/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new FileProblem('it is no whole gzip file', 'It may be damaged or cut off: have it delivered again.');
  }
}

async function* copies(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of body) yield Buffer.from(chunk);
}
