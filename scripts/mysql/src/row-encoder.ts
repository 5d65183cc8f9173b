import {
  type Column,
  type CsvWriter,
  filterJson,
  JsonSyntaxError,
  type LogicalType,
  type TableSelection,
} from '@ingesta/kit';
import { isRealDate } from './real-date';

/** How a field goes from the packet into the CSV. */
enum Kind {
  Plain,
  Text,
  Hex,
  Json,
  MaybeJson,
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
    maybeJson: readonly string[] = [],
  ) {
    this.#columns = selection.columns;
    this.#kinds = Uint8Array.from(
      selection.columns,
      ({ name, logical_type }) => KINDS[logical_type] ?? (maybeJson.includes(name) ? Kind.MaybeJson : Kind.Text),
    );
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
      case Kind.MaybeJson:
        if (startsAsJson(bytes, start, end)) this.#maybeJson(i, bytes, start, end);
        else this.writer.text(bytes, start, end);
        return;
      default: {
        const real = isRealDate(bytes, start);
        this.writer.plain(bytes, start, end);
        if (!real) this.#noIso[i]!++;
        // A zero date is no instant.
        else if (this.#kinds[i] === Kind.Instant) this.writer.suffix(UTC);
      }
    }
  }

  /** The text as it stands, unless it is JSON with a sensitive key in it. */
  #maybeJson(i: number, bytes: Uint8Array, start: number, end: number): void {
    let found = false;
    const isSensitiveKey = (path: readonly string[]) => {
      const sensitive = this.selection.isSensitiveKey(path);
      found ||= sensitive;
      return sensitive;
    };
    let json: Buffer | undefined;
    try {
      json = filterJson(bytes, start, end, this.#columns[i]!.name, isSensitiveKey);
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
    }
    if (json && found) this.writer.text(json, 0, json.length);
    else this.writer.text(bytes, start, end);
  }
}

/** Whether an object or a list may begin here, after white space. */
function startsAsJson(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && bytes[at]! <= 0x20) at++;
  return at < end && (bytes[at] === 0x7b || bytes[at] === 0x5b);
}

const brokenPacket = () => new Error('A row does not have the fields that were asked for');
