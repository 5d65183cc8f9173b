import {
  type CsvWriter,
  FieldKind,
  failed,
  JsonFilter,
  JsonSyntaxError,
  type LogicalType,
  RowKernel,
  type RowTarget,
  type TableSelection,
  withFraction,
  writeJson,
  writeText,
} from '@ingesta/kit';
import { Types } from 'mysql2';
import { isUnsigned, MAX_FRACTION, type WireColumn } from './wire-columns';

const { PLAIN, TEXT, HEX, JSON: JSON_TEXT, OTHER, INT8, ...FIXED } = FieldKind;

/** How a string goes from the packet into the CSV. */
const STRINGS: Partial<Record<LogicalType, number>> = {
  integer: PLAIN,
  decimal: PLAIN,
  uuid: PLAIN,
  binary: HEX,
  json: JSON_TEXT,
};

/** What the server does not send as a string: signed, unsigned. */
const INTEGERS: Record<number, [number, number]> = {
  [Types.TINY]: [INT8, FIXED.UINT8],
  [Types.SHORT]: [FIXED.INT16, FIXED.UINT16],
  [Types.INT24]: [FIXED.INT32, FIXED.UINT32],
  [Types.LONG]: [FIXED.INT32, FIXED.UINT32],
  [Types.LONGLONG]: [FIXED.INT64, FIXED.UINT64],
};

/**
 * Writes rows of the binary protocol as CSV rows: strings are copied as bytes, and no value becomes an object.
 */
export class RowEncoder implements RowTarget {
  readonly #kinds: Uint8Array;
  /** Of the columns that hold JSON, or may. */
  readonly #filters: (JsonFilter | null)[];
  readonly #kernel: RowKernel;

  /** `wire`: what the server says of the selection's columns, in the same order. */
  constructor(
    readonly writer: CsvWriter,
    readonly selection: TableSelection,
    wire: readonly WireColumn[],
    maybeJson: readonly string[] = [],
  ) {
    const { columns, isSensitiveKey } = selection;
    if (wire.length !== columns.length) throw brokenPacket();
    this.#kinds = Uint8Array.from(
      columns,
      ({ name, logical_type }, i) =>
        fixedKind(wire[i]!, logical_type) ?? STRINGS[logical_type] ?? (maybeJson.includes(name) ? OTHER : TEXT),
    );
    this.#filters = columns.map(({ name }, i) =>
      this.#kinds[i] === JSON_TEXT || this.#kinds[i] === OTHER ? new JsonFilter(name, isSensitiveKey) : null,
    );
    this.#kernel = new RowKernel(this.#kinds, this.#filters, writer, (i, bytes, from, to, at) =>
      this.#isJson(i, bytes, from, to)
        ? writeJson(this.#filters[i]!, bytes, from, to, bytes, at)
        : writeText(bytes, from, to, bytes, at),
    );
  }

  /** As many packets with rows as stand whole at the start of `bytes[start, end)`; how many bytes that was. */
  many(bytes: Uint8Array, start: number, end: number): number {
    return this.#kernel.binaryRows(bytes, start, end);
  }

  /** A row that the kernel does not take: 0, a bit per column that is NULL (from the third bit on), and the values. */
  row(bytes: Uint8Array, start: number, end: number): void {
    const { writer } = this;
    const kinds = this.#kinds;
    const nulls = start + 1;
    let at = nulls + ((kinds.length + 9) >> 3);
    for (let i = 0; i < kinds.length; i++) {
      if ((bytes[nulls + ((i + 2) >> 3)]! >> ((i + 2) & 7)) & 1) {
        writer.null();
        continue;
      }
      if (at >= end) throw brokenPacket();
      if (kinds[i]! >= INT8) {
        at = this.#kernel.fixedValue(i, bytes, at);
        continue;
      }
      // A length-encoded string: its length in 1, 3, 4 or 9 bytes, then its bytes.
      let length = bytes[at++]!;
      if (length > 0xfb) {
        const width = length === 0xfc ? 2 : length === 0xfd ? 3 : 8;
        length = 0;
        for (let n = width - 1; n >= 0; n--) length = length * 256 + bytes[at + n]!;
        at += width;
      }
      const to = at + length;
      if (!(to <= end)) throw brokenPacket();
      this.#string(i, bytes, at, to);
      at = to;
    }
    if (at !== end) throw brokenPacket();
    writer.endRow();
  }

  /** Columns with values that are no date of the calendar, and how many; those stand in the CSV as the server prints them. */
  noIsoValues(): { column: string; values: number }[] {
    return this.selection.columns
      .map(({ name }, i) => ({ column: name, values: this.#kernel.noDays[i]! }))
      .filter(({ values }) => values > 0);
  }

  #string(i: number, bytes: Uint8Array, start: number, end: number): void {
    const { writer } = this;
    const kind = this.#kinds[i];
    if (kind === PLAIN) writer.plain(bytes, start, end);
    else if (kind === HEX) writer.hex(bytes, start, end);
    else if (this.#isJson(i, bytes, start, end)) writer.json(this.#filters[i]!, bytes, start, end);
    else writer.text(bytes, start, end);
  }

  /** Where a column may hold other text as well, only JSON with a sensitive key in it counts: the rest stays as it stands. */
  #isJson(i: number, bytes: Uint8Array, start: number, end: number): boolean {
    const filter = this.#filters[i];
    if (!filter || this.#kinds[i] === JSON_TEXT) return filter !== null;
    if (!startsAsJson(bytes, start, end)) return false;
    try {
      filter.write(bytes, start, end, Buffer.allocUnsafe(end - start), 0, false);
    } catch (error) {
      if (error instanceof JsonSyntaxError) return false;
      throw error;
    }
    return filter.hasDropped;
  }
}

/** The kind of a value that is no string; undefined for strings. */
function fixedKind(wire: WireColumn, type: LogicalType): number | undefined {
  const { columnType, decimals } = wire;
  const withDigits = (kind: number) => withFraction(kind, decimals <= MAX_FRACTION ? decimals : null);
  const integer = INTEGERS[columnType];
  if (integer) return integer[isUnsigned(wire) ? 1 : 0];
  switch (columnType) {
    case Types.YEAR:
      return FIXED.YEAR;
    case Types.DOUBLE:
      return FIXED.FLOAT;
    case Types.FLOAT:
      // Its shortest text would be another number's as a DOUBLE; `selectFrom` asks for that.
      throw failed('The server sent a FLOAT where a DOUBLE was asked for', 'Report it, with the type of the column.');
    case Types.DATE:
    case Types.NEWDATE:
      return FIXED.DATE;
    case Types.DATETIME:
    case Types.TIMESTAMP:
      return withDigits(type === 'timestamptz' ? FIXED.INSTANT : FIXED.DATETIME);
    case Types.TIME:
      return withDigits(FIXED.TIME);
    default:
      return undefined;
  }
}

/** Whether an object or a list may begin here, after white space. */
function startsAsJson(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && bytes[at]! <= 0x20) at++;
  return at < end && (bytes[at] === 0x7b || bytes[at] === 0x5b);
}

const brokenPacket = () => failed('The server sent a row that does not fit the query', 'See the log of the server.');
