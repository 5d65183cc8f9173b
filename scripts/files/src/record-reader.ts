import { ByteStore } from './byte-store';
import { lineProblem, MAX_FIELD_BYTES, tooLong } from './file-problem';

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;
const NO_BYTES = new Uint8Array(0);

/** Hears of every field and record. Bytes are valid until the call returns. */
export interface RecordSink {
  field(bytes: Uint8Array, start: number, end: number, quoted: boolean): void;
  /** `line`: where the record began, the first line of the file being 1. */
  endRecord(line: number): void;
}

enum State {
  FieldStart,
  Plain,
  Quoted,
  /** Behind a quote within a quoted field, at a chunk's end: the next byte tells whether it was one of two. */
  QuoteSeen,
  /** Behind the closing quote. */
  Closed,
}

/**
 * Reads RFC 4180 from UTF-8 bytes, in chunks cut anywhere. A reader of its own, because a field that is empty and one
 * that is `""` are not the same here, which fast-csv (and most others) cannot tell apart; and because bytes that go
 * from the chunk into the `CsvWriter` without becoming strings are several times faster. Records end in LF, CRLF or CR;
 * a quote opens a field only at its beginning, and is a character like others elsewhere outside of quotes.
 */
export class RecordReader {
  readonly #ends = new Uint8Array(256);
  readonly #delimiter: number;
  readonly #kept = new ByteStore();
  #state = State.FieldStart;
  #skipLf = false;
  #inRecord = false;
  #line = 1;
  #recordLine = 1;

  constructor(
    delimiter: string,
    readonly sink: RecordSink,
    readonly maxFieldBytes = MAX_FIELD_BYTES,
  ) {
    this.#delimiter = delimiter.charCodeAt(0);
    for (const byte of [this.#delimiter, LF, CR]) this.#ends[byte] = 1;
  }

  push(chunk: Uint8Array): void {
    const length = chunk.length;
    const ends = this.#ends;
    let at = 0;
    while (at < length) {
      switch (this.#state) {
        case State.FieldStart:
          if (this.#skipLf) {
            this.#skipLf = false;
            if (chunk[at] === LF) {
              at++;
              break;
            }
          }
          this.#inRecord = true;
          if (chunk[at] === QUOTE) {
            this.#state = State.Quoted;
            at++;
          } else this.#state = State.Plain;
          break;
        case State.Plain: {
          const from = at;
          while (at < length && ends[chunk[at]!] === 0) at++;
          if (at === length) this.#keep(chunk, from, at);
          else {
            this.#emit(chunk, from, at, false);
            this.#separator(chunk[at++]!);
          }
          break;
        }
        case State.Quoted: {
          const from = at;
          for (; at < length && chunk[at] !== QUOTE; at++) if (chunk[at] === LF) this.#line++;
          if (at === length) this.#keep(chunk, from, at);
          else if (at + 1 === length) {
            this.#keep(chunk, from, at++);
            this.#state = State.QuoteSeen;
          } else if (chunk[at + 1] === QUOTE) {
            this.#keep(chunk, from, at + 1);
            at += 2;
          } else {
            this.#emit(chunk, from, at++, true);
            this.#state = State.Closed;
          }
          break;
        }
        case State.QuoteSeen:
          if (chunk[at] === QUOTE) {
            this.#keep(chunk, at, at + 1);
            at++;
            this.#state = State.Quoted;
          } else {
            this.#emit(NO_BYTES, 0, 0, true);
            this.#state = State.Closed;
          }
          break;
        case State.Closed:
          if (ends[chunk[at]!] === 0) {
            const hint = 'A quote inside of quotes must be doubled; or set FILES_DELIMITER.';
            throw lineProblem(this.#line, 'text follows a closing quote', hint);
          }
          this.#separator(chunk[at++]!);
      }
    }
  }

  /** The file ends here. */
  end(): void {
    if (this.#state === State.Quoted) {
      throw lineProblem(this.#recordLine, 'a quote is never closed', 'The file may be cut off, or lack a quote.');
    }
    if (!this.#inRecord) return;
    if (this.#state !== State.Closed) this.#emit(NO_BYTES, 0, 0, this.#state === State.QuoteSeen);
    this.#endRecord();
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    if (!this.#kept.add(chunk, start, end, this.maxFieldBytes)) throw tooLong(this.#recordLine, 'a field');
  }

  #emit(chunk: Uint8Array, start: number, end: number, quoted: boolean): void {
    const kept = this.#kept;
    if (kept.length === 0) {
      this.sink.field(chunk, start, end, quoted);
      return;
    }
    this.#keep(chunk, start, end);
    this.sink.field(kept.bytes, 0, kept.length, quoted);
    kept.clear();
  }

  #separator(byte: number): void {
    this.#state = State.FieldStart;
    if (byte === this.#delimiter) return;
    this.#skipLf = byte === CR;
    this.#line++;
    this.#endRecord();
  }

  #endRecord(): void {
    this.#inRecord = false;
    this.sink.endRecord(this.#recordLine);
    this.#recordLine = this.#line;
  }
}
