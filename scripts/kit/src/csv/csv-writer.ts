import type { CsvChunk } from '../source';
import { collectYoungGarbage } from './garbage';
import type { JsonFilter } from './json-filter';

const COMMA = 0x2c;
const QUOTE = 0x22;
const LF = 0x0a;

/** Bytes that force quotes: comma, quote, LF, CR. */
const NEEDS_QUOTES = new Uint8Array(256);
for (const byte of [COMMA, QUOTE, LF, 0x0d]) NEEDS_QUOTES[byte] = 1;

/** A piece of a CSV file that knows whether the next one may come from another writer. */
export interface CsvPiece extends CsvChunk {
  /** No row is cut at its end. */
  endsRow: boolean;
}

/**
 * Size of pieces for a source that reads less than some hundred thousand rows a second. The C library takes larger ones from
 * the system and keeps them: 3 MiB of memory. Faster sources lose a tenth of their speed with so small ones.
 */
export const SMALL_PIECES = 64 * 1024;

/** So much of a large field is written at once. */
const SLICE = 16 * 1024;

/** After so many bytes of output the buffers that they came from, and those that are stored by now, are freed. */
const GARBAGE_BYTES = 2 * 1024 * 1024;

/** Below this a byte loop beats the call into `Buffer.copy`. */
const SHORT = 48;

/**
 * Byte-level CSV writer for wire protocols that already deliver text: values go from the packet into the output
 * buffer without becoming strings. NULL is empty, an empty string is `""`, and a field is quoted only where one of its
 * bytes asks for it. Synchronous: the caller writes rows and hands on what `take()` returns, so back-pressure stays
 * with the generator around it.
 */
export class CsvWriter {
  #buffer: Buffer;
  #used = 0;
  #rows = 0;
  #totalRows = 0;
  #rowStarted = false;
  /** A field in quotes has begun. */
  #isQuoted = false;
  readonly #full: CsvPiece[] = [];
  /** Bytes written since garbage was collected: rows that are never objects leave V8 too little to do it by itself. */
  #garbage = 0;
  /** A row that ends behind it ends its piece, so that few rows are cut. */
  readonly #ripe: number;

  /** `chunkBytes`: size of the pieces handed on; only a large JSON field gets a piece of its own size. */
  constructor(readonly chunkBytes = 256 * 1024) {
    this.#buffer = Buffer.allocUnsafeSlow(chunkBytes);
    this.#ripe = chunkBytes - (chunkBytes >> 4);
  }

  /** Rows written so far, in all pieces. */
  get totalRows(): number {
    return this.#totalRows;
  }

  /** The header line. It does not count as a row. */
  header(names: readonly string[]): void {
    for (const name of names) this.string(name);
    this.#endLine();
  }

  /** An SQL NULL: nothing between the commas. */
  null(): void {
    this.#reserve(1);
    this.#separate();
  }

  /** A value that never needs quotes (numbers, dates, hex), as ASCII or UTF-8 bytes. */
  plain(source: Uint8Array, start: number, end: number): void {
    if (end - start > this.chunkBytes) {
      this.#large(source, start, end);
      return;
    }
    this.#reserve(end - start + 1);
    this.#separate();
    this.#copy(source, start, end);
  }

  /** Any text as UTF-8 bytes, verbatim. */
  text(source: Uint8Array, start: number, end: number): void {
    if (end - start > this.chunkBytes) {
      if (needsQuotes(source, start, end)) {
        this.quotedPart(source, start, end);
        this.endQuoted();
      } else this.#large(source, start, end);
      return;
    }
    // The worst case: every byte a quote, two around, a comma before.
    this.#reserve(2 * (end - start) + 3);
    this.#separate();
    this.#used = writeText(source, start, end, this.#buffer, this.#used);
  }

  /** The next part of a text that needs quotes, or its first one; `endQuoted` ends the field. */
  quotedPart(source: Uint8Array, start: number, end: number): void {
    if (!this.#isQuoted) {
      this.#reserve(2);
      this.#separate();
      this.#buffer[this.#used++] = QUOTE;
      this.#isQuoted = true;
    }
    for (let from = start; from < end; from += SLICE) {
      const to = Math.min(end, from + SLICE);
      this.#reserve(2 * (to - from));
      this.#used = writeDoubled(source, from, to, this.#buffer, this.#used);
    }
  }

  /** The field that came in parts is complete. */
  endQuoted(): void {
    this.#reserve(1);
    this.#buffer[this.#used++] = QUOTE;
    this.#isQuoted = false;
  }

  /** A JSON text, compact and without its sensitive members. Throws `JsonSyntaxError`. */
  json(filter: JsonFilter, source: Uint8Array, start: number, end: number): void {
    // The worst case would be twice the memory for nothing where the text is large.
    const quotes = end - start > this.chunkBytes ? countQuotes(source, start, end) : end - start;
    this.#reserve(end - start + quotes + 3);
    this.#separate();
    this.#used = writeJson(filter, source, start, end, this.#buffer, this.#used);
  }

  /** Any text as a string. */
  string(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.text(bytes, 0, bytes.length);
  }

  /** Raw bytes as lower-case hex. */
  hex(source: Uint8Array, start: number, end: number): void {
    if (start === end) {
      this.text(source, start, end);
      return;
    }
    this.#reserve(1);
    this.#separate();
    for (let from = start; from < end; from += SLICE) {
      const to = Math.min(end, from + SLICE);
      this.#reserve(2 * (to - from));
      const out = this.#buffer;
      let used = this.#used;
      for (let i = from; i < to; i++) {
        const byte = source[i]!;
        out[used++] = HEX[byte >> 4]!;
        out[used++] = HEX[byte & 15]!;
      }
      this.#used = used;
    }
  }

  /** Whole rows that are CSV already, `source[start, end)`; only between two rows. */
  rows(source: Uint8Array, start: number, end: number, count: number): void {
    this.#reserve(end - start);
    this.#buffer.set(source.subarray(start, end), this.#used);
    this.#used += end - start;
    this.#rows += count;
    this.#totalRows += count;
    if (this.#used > this.#ripe) this.#cut(this.chunkBytes);
  }

  endRow(): void {
    this.#endLine();
    this.#rows++;
    this.#totalRows++;
    if (this.#used > this.#ripe) this.#cut(this.chunkBytes);
  }

  /** The pieces that are full by now, in order. */
  take(): CsvPiece[] {
    return this.#full.splice(0);
  }

  /** All that is left. The writer starts over afterwards. */
  flush(): CsvPiece[] {
    this.#cut(this.chunkBytes);
    return this.take();
  }

  /** A field larger than a piece, without quotes and bit by bit: a piece of its own size would be memory for nothing. */
  #large(source: Uint8Array, start: number, end: number): void {
    this.#reserve(1);
    this.#separate();
    for (let from = start; from < end; from += SLICE) {
      const to = Math.min(end, from + SLICE);
      this.#reserve(to - from);
      this.#copy(source, from, to);
    }
  }

  #endLine(): void {
    this.#reserve(1);
    this.#buffer[this.#used++] = LF;
    this.#rowStarted = false;
  }

  #separate(): void {
    if (this.#rowStarted) this.#buffer[this.#used++] = COMMA;
    this.#rowStarted = true;
  }

  #copy(source: Uint8Array, start: number, end: number): void {
    const out = this.#buffer;
    if (end - start <= SHORT) {
      let used = this.#used;
      for (let i = start; i < end; i++) out[used++] = source[i]!;
      this.#used = used;
      return;
    }
    out.set(source.subarray(start, end), this.#used);
    this.#used += end - start;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#buffer.length) return;
    this.#cut(Math.max(this.chunkBytes, bytes));
  }

  #cut(nextBytes: number): void {
    if (this.#used > 0) {
      this.#full.push({ data: this.#buffer.subarray(0, this.#used), rows: this.#rows, endsRow: !this.#rowStarted });
      this.#garbage += this.#used;
      if (this.#garbage > GARBAGE_BYTES) {
        this.#garbage = 0;
        collectYoungGarbage();
      }
      this.#buffer = Buffer.allocUnsafeSlow(nextBytes);
    } else if (nextBytes > this.#buffer.length) {
      this.#buffer = Buffer.allocUnsafeSlow(nextBytes);
    }
    this.#used = 0;
    this.#rows = 0;
  }
}

/**
 * Writes the text `source[start, end)` as a CSV field into `out` at `at`; returns where it ends. It may take twice the
 * source's length, and two bytes.
 */
export function writeText(source: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let used = at;
  // Most texts need no quotes: they are copied while they are looked at.
  let i = start;
  for (; i < end; i++) {
    const byte = source[i]!;
    if (NEEDS_QUOTES[byte] === 1) break;
    out[used++] = byte;
  }
  if (i === end && !isSpecialWord(source, start, end)) return used;
  out[at] = QUOTE;
  used = writeDoubled(source, start, end, out, at + 1);
  out[used] = QUOTE;
  return used + 1;
}

/** The bytes, every quote twice. */
function writeDoubled(source: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let used = at;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    if (byte === QUOTE) out[used++] = QUOTE;
    out[used++] = byte;
  }
  return used;
}

/**
 * Writes the filtered text of `source[start, end)` as a CSV field into `out` at `at`; returns where it ends. It may take
 * twice the source's length, and two bytes. Throws `JsonSyntaxError`.
 */
export function writeJson(
  filter: JsonFilter,
  source: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
): number {
  const until = filter.write(source, start, end, out, at + 1, true);
  if (filter.hasSpecial) {
    out[at] = QUOTE;
    out[until] = QUOTE;
    return until + 1;
  }
  // Numbers, words, `[]` and `{}` stand without quotes.
  out.copyWithin(at, at + 1, until);
  return until - 1;
}

const HEX = Buffer.from('0123456789abcdef');

function countQuotes(source: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if (source[i] === QUOTE) count++;
  return count;
}

function needsQuotes(source: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (NEEDS_QUOTES[source[i]!] === 1) return true;
  return isSpecialWord(source, start, end);
}

/** Texts without a special byte that need quotes all the same. */
function isSpecialWord(source: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true; // '' is not NULL
  // A line of `\.` alone ends the data for PostgreSQL's COPY FROM before version 18.
  return end - start === 2 && source[start] === 0x5c && source[start + 1] === 0x2e;
}
