import { ROW_KERNEL } from '../../generated/row-kernel';
import { type CsvWriter, writeJson } from './csv-writer';
import type { JsonFilter } from './json-filter';

/** What the kernel does with a field; as in assembly/fields.ts. Texts are as the server sends them. */
export const FieldKind = {
  /** Needs no quotes. */
  PLAIN: 0,
  TEXT: 1,
  /** Bytes, which become hexadecimal digits. */
  HEX: 2,
  /** `t` or `f`. */
  BOOLEAN: 3,
  /** Hexadecimal digits behind `\x`. */
  HEX_TEXT: 4,
  /** PostgreSQL's dates and instants, `2025-…`; any other form is the caller's. */
  ISO_DATE: 5,
  /** Compact, and without its sensitive members. */
  JSON: 6,
  /** The caller's. */
  OTHER: 7,
  /** What MySQL does not send as a string: integers, least byte first. */
  INT8: 8,
  UINT8: 9,
  INT16: 10,
  UINT16: 11,
  INT32: 12,
  UINT32: 13,
  INT64: 14,
  UINT64: 15,
  /** Four digits. */
  YEAR: 16,
  DATE: 17,
  /** With as many digits behind the second as `withFraction` says, like the next two. */
  DATETIME: 18,
  /** The same, and `+00` behind it if it is a day of the calendar. */
  INSTANT: 19,
  TIME: 20,
  /** Of 64 bits, as its shortest exact text. */
  FLOAT: 21,
} as const;

/** A kind with 0 to 6 digits behind the second; `null`: as many as the server sends. */
export const withFraction = (kind: number, digits: number | null): number => kind | ((digits ?? 7) << 5);

const KIND = 31;

/**
 * Writes the field `bytes[start, end)` of the column with this number into the same memory, at `at`; returns where that
 * ends. There is room for twice its length and two bytes.
 */
export type WriteField = (column: number, bytes: Uint8Array, start: number, end: number, at: number) => number;

type Encode = (from: number, to: number, out: number, kinds: number, columns: number) => void;

interface Exports {
  readonly dataRows: Encode;
  readonly binaryRows: Encode;
  readonly fixedValue: (kind: number, fraction: number, column: number, at: number, out: number) => number;
  readonly forgetKeys: () => void;
  readonly valueEnd: { value: number };
  readonly memory: { buffer: ArrayBuffer; grow(pages: number): number };
  readonly heapBase: { value: number };
  readonly taken: { value: number };
  readonly written: { value: number };
  readonly rows: { value: number };
}

/** What is used of it: TypeScript counts it among the browser's things. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, object>) => { exports: object };
};

/** The most bytes of rows that one call takes; a longer row is the caller's. */
export const MAX_INPUT = 64 * 1024;

/** Blocks are read and written to their ends; the text of a number takes the most room while it is made. */
const SLACK = 128;
/** MySQL's tables have at most 4,096 columns. */
const MAX_COLUMNS = 4_096;
/** Of one byte, the length of MySQL's instant 0, come 27: `0000-00-00 00:00:00.000000` and a comma. */
const MAX_OUTPUT = 27 * MAX_INPUT;
/** The longest of MySQL's values that are no strings: a time. */
const MAX_FIXED = 13;
const PAGE = 64 * 1024;

/** One for the whole process: a call runs to its end, and leaves nothing behind. */
class Kernel {
  readonly bytes: Uint8Array;
  readonly exports: Exports;
  /** Where the kinds of the columns stand, the rows, and what becomes of them. */
  readonly kinds: number;
  readonly input: number;
  readonly output: number;
  /** Whose rows they are. */
  current: RowKernel | undefined;

  constructor() {
    const other = (column: number, start: number, end: number, at: number) =>
      this.current!.other(column, this.bytes, start, end, at);
    const isSensitive = (column: number, depth: number, start: number, end: number) =>
      this.current!.filters[column]!.enter(depth, this.bytes, start, end);
    const module = new WebAssembly.Module(Buffer.from(ROW_KERNEL, 'base64'));
    this.exports = new WebAssembly.Instance(module, {
      fields: { other },
      'mysql-values': { noDay: (column: number) => this.current!.noDays[column]!++ },
      'json-keys': { isSensitive },
    }).exports as Exports;
    const { memory, heapBase } = this.exports;
    this.kinds = heapBase.value;
    this.input = this.kinds + MAX_COLUMNS;
    this.output = this.input + MAX_INPUT + SLACK;
    memory.grow(Math.ceil((this.output + MAX_OUTPUT + SLACK - memory.buffer.byteLength) / PAGE));
    this.bytes = new Uint8Array(memory.buffer);
  }

  /** The rows of the next call are of this one. */
  serve(rows: RowKernel): void {
    if (rows === this.current) return;
    this.current = rows;
    this.bytes.set(rows.kinds, this.kinds);
    this.exports.forgetKeys();
  }
}

let shared: Kernel | undefined;

/**
 * Writes the rows of a wire protocol as CSV, many of them per call, with the same bytes as `CsvWriter` would row by row.
 * WebAssembly, because extraction is this project's work: a row takes a third of the time it takes in JavaScript.
 */
export class RowKernel {
  readonly #kernel: Kernel;
  /** Per column, how many dates were in no calendar. */
  readonly noDays: Uint32Array;

  /** `kinds`: a `FieldKind` per column; `filters`: of the columns with JSON; `writeField` writes what is the caller's. */
  constructor(
    readonly kinds: Uint8Array,
    readonly filters: readonly (JsonFilter | null)[],
    readonly writer: CsvWriter,
    readonly writeField: WriteField,
  ) {
    shared ??= new Kernel();
    this.#kernel = shared;
    this.noDays = new Uint32Array(kinds.length);
  }

  /**
   * Takes PostgreSQL's DataRow messages that stand whole in `bytes[start, end)`, one behind the other. Returns how many
   * bytes that were; what follows is another message, a row that is too long or does not fit, or unfinished.
   */
  dataRows(bytes: Uint8Array, start: number, end: number): number {
    return this.#encode(this.#kernel.exports.dataRows, bytes, start, end);
  }

  /** The same with MySQL's packets, whose rows are in its binary protocol. */
  binaryRows(bytes: Uint8Array, start: number, end: number): number {
    return this.#encode(this.#kernel.exports.binaryRows, bytes, start, end);
  }

  /** Writes a value of MySQL's that is no string, from a row that is the caller's; returns where it ends. */
  fixedValue(column: number, bytes: Uint8Array, start: number): number {
    const kernel = this.#kernel;
    const kind = this.kinds[column]!;
    const { input, output } = kernel;
    kernel.bytes.set(bytes.subarray(start, start + MAX_FIXED), input);
    kernel.serve(this);
    const { fixedValue, valueEnd } = kernel.exports;
    this.writer.plain(kernel.bytes, output, fixedValue(kind & KIND, kind >> 5, column, input, output));
    return start + valueEnd.value - input;
  }

  /** A field that WebAssembly leaves to JavaScript; JSON with something to leave out is such a one. */
  other(column: number, bytes: Uint8Array, start: number, end: number, at: number): number {
    const kind = this.kinds[column];
    if (kind !== FieldKind.JSON) return this.writeField(column, bytes, start, end, at);
    return writeJson(this.filters[column]!, bytes, start, end, bytes, at);
  }

  #encode(encode: Encode, bytes: Uint8Array, start: number, end: number): number {
    const kernel = this.#kernel;
    const { taken, written, rows } = kernel.exports;
    if (this.kinds.length > MAX_COLUMNS) return 0;
    const { input, output } = kernel;
    kernel.serve(this);
    let at = start;
    for (;;) {
      const until = Math.min(end, at + MAX_INPUT);
      kernel.bytes.set(bytes.subarray(at, until), input);
      encode(input, input + until - at, output, kernel.kinds, this.kinds.length);
      if (taken.value === 0) return at - start;
      this.writer.rows(kernel.bytes, output, output + written.value, rows.value);
      at += taken.value;
      // Else a row was cut at the end of the slice, or what stopped it stands first in the next one.
      if (at === end) return at - start;
    }
  }
}
