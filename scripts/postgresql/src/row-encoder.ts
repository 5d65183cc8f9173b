import { type Column, type CsvWriter, failed, JsonFilter, type LogicalType } from '@ingesta/kit';

/** What happens to a value's bytes on their way into the CSV. */
const Kind = { PLAIN: 0, TEXT: 1, BOOLEAN: 2, HEX: 3, JSON: 4, DATE: 5, INTERVAL: 6 } as const;

const KIND_OF: Record<LogicalType, number> = {
  boolean: Kind.BOOLEAN,
  integer: Kind.PLAIN,
  decimal: Kind.PLAIN,
  float: Kind.PLAIN,
  text: Kind.TEXT,
  uuid: Kind.PLAIN,
  date: Kind.DATE,
  time: Kind.PLAIN,
  timestamp: Kind.DATE,
  timestamptz: Kind.DATE,
  interval: Kind.INTERVAL,
  binary: Kind.HEX,
  json: Kind.JSON,
};

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

/** Writes the DataRow messages of one query as CSV rows. */
export class RowEncoder {
  readonly #kinds: Uint8Array;
  readonly #withoutIsoForm: Uint32Array;
  readonly #filters: JsonFilter[];
  rows = 0;

  constructor(
    readonly columns: readonly Column[],
    readonly writer: CsvWriter,
    isSensitiveKey: (path: readonly string[]) => boolean,
  ) {
    this.#filters = columns.map(({ name }) => new JsonFilter(name, isSensitiveKey));
    this.#kinds = Uint8Array.from(columns, (column) => KIND_OF[column.logical_type]);
    this.#withoutIsoForm = new Uint32Array(columns.length);
  }

  /** The payload of a DataRow: a count, then each value's length (-1 is NULL) and text. */
  row(bytes: Buffer, start: number, end: number): void {
    const kinds = this.#kinds;
    const writer = this.writer;
    let at = start + 2;
    if (((bytes[start]! << 8) | bytes[start + 1]!) !== kinds.length) throw notARow();
    for (let i = 0; i < kinds.length; i++) {
      const length = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
      at += 4;
      if (length === -1) {
        writer.null();
        continue;
      }
      const until = at + length;
      if (length < 0 || until > end) throw notARow();
      const kind = kinds[i]!;
      if (kind === Kind.TEXT) writer.text(bytes, at, until);
      else if (kind === Kind.PLAIN) writer.plain(bytes, at, until);
      else this.#special(kind, i, bytes, at, until);
      at = until;
    }
    if (at !== end) throw notARow();
    writer.endRow();
    this.rows++;
  }

  /** Columns with dates, instants or intervals that have no ISO form (infinity, BC, years past 9999), and how many. */
  get withoutIsoForm(): { count: number; columns: string[] } {
    const columns = this.columns.filter((_, i) => this.#withoutIsoForm[i]! > 0).map((column) => column.name);
    return { count: this.#withoutIsoForm.reduce((sum, n) => sum + n, 0), columns };
  }

  #special(kind: number, i: number, bytes: Buffer, start: number, end: number): void {
    const writer = this.writer;
    if (kind === Kind.BOOLEAN) {
      const word = bytes[start] === 0x74 ? TRUE : FALSE;
      writer.plain(word, 0, word.length);
    } else if (kind === Kind.JSON) {
      writer.json(this.#filters[i]!, bytes, start, end);
    } else if (kind === Kind.HEX) {
      // The server prints `\x6869`; no bytes at all are the empty text, not NULL.
      if (end - start === 2) writer.text(bytes, end, end);
      else writer.plain(bytes, start + 2, end);
    } else {
      // Dates are `2025-…` and not `0044-03-15 BC`; durations start with P (PostgreSQL 17 has infinite ones).
      const iso = kind === Kind.DATE ? bytes[start + 4] === 0x2d && bytes[end - 1] !== 0x43 : bytes[start] === 0x50;
      if (!iso) this.#withoutIsoForm[i]!++;
      writer.plain(bytes, start, end);
    }
  }
}

const notARow = () => failed('The server sent a row that does not fit the query', 'See the log of the server.');
