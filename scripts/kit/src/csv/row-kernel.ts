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
  /** MySQL's, which need not be of the calendar; what may not be is the caller's. */
  CALENDAR_DATE: 6,
  /** The same, and `+00` behind it. */
  CALENDAR_INSTANT: 7,
  /** Compact, and without its sensitive members. */
  JSON: 8,
  /** The caller's. */
  OTHER: 9,
} as const;

/**
 * Writes the field `bytes[start, end)` of the column with this number into the same memory, at `at`; returns where that
 * ends. There is room for twice its length and two bytes.
 */
export type WriteField = (column: number, bytes: Uint8Array, start: number, end: number, at: number) => number;

type Encode = (from: number, to: number, out: number, kinds: number, columns: number) => void;

interface Exports {
  readonly dataRows: Encode;
  readonly packedRows: Encode;
  readonly taken: { value: number };
  readonly written: { value: number };
  readonly rows: { value: number };
}

/** What is used of it: TypeScript counts it among the browser's things. */
declare const WebAssembly: {
  Memory: new (pages: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, object>) => { exports: object };
};

/** The most bytes of rows that one call takes; a longer row is the caller's. */
export const MAX_INPUT = 64 * 1024;

/** Blocks are read and written to their ends. */
const SLACK = 64;
/** MySQL's tables have at most 4,096 columns. */
const MAX_COLUMNS = 4_096;
/** The kernel's own place, behind the kinds of the columns. */
const JSON_LEVELS = 256;
const INPUT = MAX_COLUMNS + JSON_LEVELS;
const OUTPUT = INPUT + MAX_INPUT + SLACK;
/** Of one byte, the length of an empty text, come three: two quotes and a comma. */
const MEMORY = OUTPUT + 3 * MAX_INPUT + SLACK;
const PAGE = 64 * 1024;

/** One for the whole process: a call runs to its end, and leaves nothing behind. */
class Kernel {
  readonly bytes: Uint8Array;
  readonly exports: Exports;
  /** Whose rows they are. */
  current: RowKernel | undefined;

  constructor() {
    const pages = Math.ceil(MEMORY / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.bytes = new Uint8Array(memory.buffer);
    const other = (column: number, start: number, end: number, at: number) =>
      this.current!.other(column, this.bytes, start, end, at);
    const isSensitive = (column: number, depth: number, start: number, end: number) =>
      this.current!.filters[column]!.enter(depth, this.bytes, start, end);
    const module = new WebAssembly.Module(Buffer.from(ROW_KERNEL, 'base64'));
    this.exports = new WebAssembly.Instance(module, {
      env: { memory },
      fields: { other },
      'json-text': { isSensitive },
    }).exports as Exports;
  }
}

let shared: Kernel | undefined;

/**
 * Writes the rows of a wire protocol as CSV, many of them per call, with the same bytes as `CsvWriter` would row by row.
 * WebAssembly, because extraction is this project's work: a row takes a third of the time it takes in JavaScript.
 */
export class RowKernel {
  readonly #kernel: Kernel;

  /** `kinds`: a `FieldKind` per column; `filters`: of the columns with JSON; `writeField` writes what is the caller's. */
  constructor(
    readonly kinds: Uint8Array,
    readonly filters: readonly (JsonFilter | null)[],
    readonly writer: CsvWriter,
    readonly writeField: WriteField,
  ) {
    shared ??= new Kernel();
    this.#kernel = shared;
  }

  /**
   * Takes PostgreSQL's DataRow messages that stand whole in `bytes[start, end)`, one behind the other. Returns how many
   * bytes that were; what follows is another message, a row that is too long or does not fit, or unfinished.
   */
  dataRows(bytes: Uint8Array, start: number, end: number): number {
    return this.#encode(this.#kernel.exports.dataRows, bytes, start, end);
  }

  /** The same with the payloads of MySQL's row packets, each behind its length in four bytes, little-endian. */
  packedRows(bytes: Uint8Array, start: number, end: number): number {
    return this.#encode(this.#kernel.exports.packedRows, bytes, start, end);
  }

  /** A field that WebAssembly leaves to JavaScript; JSON with something to leave out is such a one. */
  other(column: number, bytes: Uint8Array, start: number, end: number, at: number): number {
    if (this.kinds[column] !== FieldKind.JSON) return this.writeField(column, bytes, start, end, at);
    return writeJson(this.filters[column]!, bytes, start, end, bytes, at);
  }

  #encode(encode: Encode, bytes: Uint8Array, start: number, end: number): number {
    const kernel = this.#kernel;
    const { taken, written, rows } = kernel.exports;
    if (this.kinds.length > MAX_COLUMNS) return 0;
    kernel.bytes.set(this.kinds, 0);
    kernel.current = this;
    let at = start;
    for (;;) {
      const until = Math.min(end, at + MAX_INPUT);
      kernel.bytes.set(bytes.subarray(at, until), INPUT);
      encode(INPUT, INPUT + until - at, OUTPUT, 0, this.kinds.length);
      if (taken.value === 0) return at - start;
      this.writer.rows(kernel.bytes, OUTPUT, OUTPUT + written.value, rows.value);
      at += taken.value;
      // Else a row was cut at the end of the slice, or what stopped it stands first in the next one.
      if (at === end) return at - start;
    }
  }
}
