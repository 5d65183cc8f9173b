import { type Column, type CsvWriter, filterJson, type LogicalType, type TableSelection } from '@ingesta/kit';
import { isRealDate } from './real-date';

/** How a field goes from the packet into the CSV. */
enum Kind {
  Plain,
  Text,
  Hex,
  Json,
  Date,
  Instant,
}

const KINDS: Partial<Record<LogicalType, Kind>> = {
  integer: Kind.Plain,
  decimal: Kind.Plain,
  float: Kind.Plain,
  interval: Kind.Plain,
  uuid: Kind.Plain,
  date: Kind.Date,
  timestamp: Kind.Date,
  timestamptz: Kind.Instant,
  binary: Kind.Hex,
  json: Kind.Json,
};

const UTC = Buffer.from('+00');

/** Writes rows of the text protocol as CSV rows: fields are copied as bytes, values never become strings. */
export class RowEncoder {
  readonly #kinds: Uint8Array;
  readonly #columns: readonly Column[];
  readonly #noIso: Uint32Array;

  constructor(
    readonly writer: CsvWriter,
    readonly selection: TableSelection,
  ) {
    this.#columns = selection.columns;
    this.#kinds = Uint8Array.from(selection.columns, ({ logical_type }) => KINDS[logical_type] ?? Kind.Text);
    this.#noIso = new Uint32Array(selection.columns.length);
  }

  /** One row packet's payload: `bytes[start, end)`. */
  row(bytes: Uint8Array, start: number, end: number): void {
    const writer = this.writer;
    const kinds = this.#kinds;
    let at = start;
    for (let i = 0; i < kinds.length; i++) {
      if (at >= end) throw brokenPacket();
      // A length-encoded string: its length in 1, 3, 4 or 9 bytes, then its bytes.
      let length = bytes[at++]!;
      if (length === 0xfb) {
        writer.null();
        continue;
      }
      if (length > 0xfb) {
        const width = length === 0xfc ? 2 : length === 0xfd ? 3 : 8;
        length = 0;
        for (let n = width - 1; n >= 0; n--) length = length * 256 + bytes[at + n]!;
        at += width;
      }
      const to = at + length;
      if (!(to <= end)) throw brokenPacket();
      if (kinds[i] === Kind.Plain) writer.plain(bytes, at, to);
      else if (kinds[i] === Kind.Text) writer.text(bytes, at, to);
      else this.#field(i, bytes, at, to);
      at = to;
    }
    if (at !== end) throw brokenPacket();
    writer.endRow();
  }

  /** Columns with values that are no date of the calendar, and how many; those stand in the CSV as the server prints them. */
  noIsoValues(): { column: string; values: number }[] {
    return this.#columns
      .map(({ name }, i) => ({ column: name, values: this.#noIso[i]! }))
      .filter(({ values }) => values > 0);
  }

  #field(i: number, bytes: Uint8Array, start: number, end: number): void {
    switch (this.#kinds[i]) {
      case Kind.Hex:
        this.writer.hex(bytes, start, end);
        return;
      case Kind.Json: {
        const { columns, isSensitiveKey } = this.selection;
        const json = filterJson(bytes, start, end, columns[i]!.name, isSensitiveKey);
        this.writer.text(json, 0, json.length);
        return;
      }
      default: {
        const real = isRealDate(bytes, start);
        this.writer.plain(bytes, start, end);
        if (!real) this.#noIso[i]!++;
        // A zero date is no instant.
        else if (this.#kinds[i] === Kind.Instant) this.writer.suffix(UTC);
      }
    }
  }
}

const brokenPacket = () => new Error('A row does not have the fields that were asked for');
