import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline as callbackPipeline, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { CHUNK_BYTES } from './file-digest';

/** A piece ends with the first row that brings it here. */
export const PIECE_BYTES = 8 * 1024 * 1024;
const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** A file of the lake on this machine's disk. */
export interface StoredCsv {
  path: string;
  isGzip: boolean;
}

/** A CSV cut between its rows. */
export interface CsvPieces {
  /** In order, each with the header line and then so many rows; at least one. */
  pieces: { file: string; rows: number }[];
  /** Bytes of the longest row, its line feed among them. */
  longestRow: number;
}

/** A row is longer than was allowed. */
export class RowTooLong extends Error {}

/**
 * Whether a line feed or a carriage return stands in quotes, so that a row may look like several. Every quote within a
 * field is doubled: an odd number of quotes before a place means inside. Ends with the first one that it finds.
 */
export async function hasQuotedLineBreaks(csv: StoredCsv): Promise<boolean> {
  let quoted = false;
  for await (const chunk of bytesOf(csv)) {
    // Most tables have no quote, and to know that costs next to nothing.
    if (!quoted && !chunk.includes(QUOTE)) continue;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at]!;
      // Nearly all are above; an iterator would take four times as long.
      if (byte > QUOTE) continue;
      if (byte === QUOTE) quoted = !quoted;
      else if (quoted && (byte === LINE_FEED || byte === CARRIAGE_RETURN)) return true;
    }
  }
  return false;
}

/**
 * Cuts a CSV as the contract writes it into files of some megabytes in `folder`, which it makes; of a compressed one the
 * pieces are compressed, too. Throws `RowTooLong`.
 */
export async function splitCsv(csv: StoredCsv, folder: string, maxRowBytes: number): Promise<CsvPieces> {
  await mkdir(folder);
  const pieces: CsvPieces['pieces'] = [];
  let header: Buffer[] | null = null;
  let chunks: Buffer[] = [];
  let [rows, bytes, longestRow] = [0, 0, 0];
  /** Of the row under way, in the chunks before this one. */
  let rowBytes = 0;
  let quoted = false;
  const endPiece = async () => {
    const file = join(folder, String(pieces.length));
    pieces.push({ file, rows });
    // Read from its start DuckDB would take a byte order mark away, were a value first that begins with one.
    const text = Readable.from([...(header ?? []), ...chunks]);
    const out = createWriteStream(file, { flags: 'wx' });
    await (csv.isGzip ? pipeline(text, createGzip({ level: 1 }), out) : pipeline(text, out));
    [chunks, rows, bytes] = [[], 0, 0];
  };
  const allow = (row: number) => {
    if (row > maxRowBytes) throw new RowTooLong(`a row of over ${maxRowBytes} bytes, or a quote without its end`);
    longestRow = Math.max(longestRow, row);
  };
  for await (const chunk of bytesOf(csv)) {
    let [from, rowFrom] = [0, 0];
    const take = (to: number) => {
      chunks.push(chunk.subarray(from, to));
      bytes += to - from;
      from = to;
    };
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at]!;
      // Nearly all are above.
      if (byte > QUOTE) continue;
      if (byte === QUOTE) quoted = !quoted;
      if (byte !== LINE_FEED || quoted) continue;
      const end = at + 1;
      allow(rowBytes + end - rowFrom);
      [rowBytes, rowFrom] = [0, end];
      if (header === null) {
        take(end);
        header = chunks;
        [chunks, bytes] = [[], 0];
        continue;
      }
      rows += 1;
      if (bytes + end - from < PIECE_BYTES) continue;
      take(end);
      await endPiece();
    }
    take(chunk.length);
    rowBytes += chunk.length - rowFrom;
    allow(rowBytes);
  }
  // What has no line feed behind it is a row as well.
  if (rowBytes > 0 && header !== null) rows += 1;
  if (bytes > 0 || pieces.length === 0) await endPiece();
  return { pieces, longestRow };
}

function bytesOf({ path, isGzip }: StoredCsv): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  // Whoever reads is told what went wrong.
  return isGzip ? callbackPipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined) : file;
}
