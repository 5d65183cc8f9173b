import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import { CHUNK_BYTES } from './file-digest';

/** A piece ends with the first row that brings it here. */
export const PIECE_BYTES = 8 * 1024 * 1024;
const QUOTE = 0x22;
const LINE_FEED = 0x0a;

/** A CSV cut between its rows. */
export interface CsvPieces {
  /** The file of the header line. */
  header: string;
  /** The files of the rows, in order, and how many each holds; at least one. */
  pieces: { file: string; rows: number }[];
  /** Bytes of the longest row, its line feed among them. */
  longestRow: number;
}

/** A row is longer than was allowed. */
export class RowTooLong extends Error {}

/**
 * Cuts a CSV as the contract writes it into files of some megabytes in `folder`, which it makes; of a compressed one the
 * pieces are compressed, too. A row ends with the first line feed outside of quotes, and every quote within a field is
 * doubled, so that an odd number of quotes behind a row's start means inside. Throws `RowTooLong`.
 */
export async function splitCsv(
  { path, isGzip }: { path: string; isGzip: boolean },
  folder: string,
  maxRowBytes: number,
): Promise<CsvPieces> {
  await mkdir(folder);
  const pieces: CsvPieces['pieces'] = [];
  let chunks: Buffer[] = [];
  let [rows, bytes, rowBytes, longestRow] = [0, 0, 0, 0];
  const endPiece = async () => {
    const file = join(folder, String(pieces.length));
    pieces.push({ file, rows });
    await writeFile(file, isGzip ? await promisify(gzip)(Buffer.concat(chunks), { level: 1 }) : chunks);
    [chunks, rows, bytes] = [[], 0, 0];
  };
  let quoted = false;
  for await (const chunk of bytesOf(path, isGzip)) {
    let from = 0;
    const take = (to: number) => {
      chunks.push(chunk.subarray(from, to));
      bytes += to - from;
      from = to;
    };
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      rowBytes += 1;
      if (byte === QUOTE) quoted = !quoted;
      if (byte !== LINE_FEED || quoted) continue;
      rows += 1;
      longestRow = Math.max(longestRow, rowBytes);
      rowBytes = 0;
      if (pieces.length > 0 && bytes + at + 1 - from < PIECE_BYTES) continue;
      take(at + 1);
      await endPiece();
    }
    take(chunk.length);
    if (rowBytes > maxRowBytes) throw new RowTooLong(`a row of over ${maxRowBytes} bytes`);
  }
  // What has no line feed behind it is a row as well.
  if (rowBytes > 0) rows += 1;
  await endPiece();
  if (pieces.length === 1) await endPiece();
  const [header, ...others] = pieces as [CsvPieces['pieces'][0], ...CsvPieces['pieces']];
  return { header: header.file, pieces: others, longestRow: Math.max(longestRow, rowBytes) };
}

function bytesOf(path: string, isGzip: boolean): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  // Whoever reads is told what went wrong.
  return isGzip ? pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined) : file;
}
