import { type Column, type CsvWriter, FieldKind, failed, JsonFilter, type LogicalType, RowKernel } from '@ingesta/kit';

const { PLAIN, TEXT, BOOLEAN, HEX_TEXT, ISO_DATE, JSON: JSON_TEXT, OTHER } = FieldKind;

/** What happens to a value's bytes on their way into the CSV. */
const KIND_OF: Record<LogicalType, number> = {
  boolean: BOOLEAN,
  integer: PLAIN,
  decimal: PLAIN,
  float: PLAIN,
  text: TEXT,
  uuid: PLAIN,
  date: ISO_DATE,
  time: PLAIN,
  timestamp: ISO_DATE,
  timestamptz: ISO_DATE,
  interval: OTHER,
  binary: HEX_TEXT,
  json: JSON_TEXT,
};

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

/** Writes the DataRow messages of one query as CSV rows. */
export class RowEncoder {
  readonly #kinds: Uint8Array;
  readonly #withoutIsoForm: Uint32Array;
  /** Of the JSON columns. */
  readonly #filters: (JsonFilter | null)[];
  readonly #kernel: RowKernel;

  constructor(
    readonly columns: readonly Column[],
    readonly writer: CsvWriter,
    isSensitiveKey: (path: readonly string[]) => boolean,
  ) {
    this.#filters = columns.map(({ name, logical_type }) =>
      logical_type === 'json' ? new JsonFilter(name, isSensitiveKey) : null,
    );
    this.#kinds = Uint8Array.from(columns, (column) => KIND_OF[column.logical_type]);
    this.#withoutIsoForm = new Uint32Array(columns.length);
    this.#kernel = new RowKernel(this.#kinds, this.#filters, writer, (i, bytes, start, end, at) => {
      if (!this.#isIso(i, bytes, start, end)) this.#withoutIsoForm[i]!++;
      bytes.copyWithin(at, start, end);
      return at + end - start;
    });
  }

  /** Rows written so far. */
  get rows(): number {
    return this.writer.totalRows;
  }

  /** As many DataRows as stand whole at the start of `bytes[start, end)`; how many bytes that was. The rest is for `row`. */
  many(bytes: Buffer, start: number, end: number): number {
    return this.#kernel.dataRows(bytes, start, end);
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
      this.#field(i, bytes, at, until);
      at = until;
    }
    if (at !== end) throw notARow();
    writer.endRow();
  }

  /** Columns with dates, instants or intervals that have no ISO form (infinity, BC, years past 9999), and how many. */
  get withoutIsoForm(): { count: number; columns: string[] } {
    const columns = this.columns.filter((_, i) => this.#withoutIsoForm[i]! > 0).map((column) => column.name);
    return { count: this.#withoutIsoForm.reduce((sum, n) => sum + n, 0), columns };
  }

  #field(i: number, bytes: Buffer, start: number, end: number): void {
    const writer = this.writer;
    const kind = this.#kinds[i]!;
    const filter = this.#filters[i];
    if (filter) {
      writer.json(filter, bytes, start, end);
    } else if (kind === TEXT) {
      writer.text(bytes, start, end);
    } else if (kind === BOOLEAN) {
      const word = bytes[start] === 0x74 ? TRUE : FALSE;
      writer.plain(word, 0, word.length);
    } else if (kind === HEX_TEXT) {
      // The server prints `\x6869`; no bytes at all are the empty text, not NULL.
      if (end - start === 2) writer.text(bytes, end, end);
      else writer.plain(bytes, start + 2, end);
    } else {
      if (kind !== PLAIN && !this.#isIso(i, bytes, start, end)) this.#withoutIsoForm[i]!++;
      writer.plain(bytes, start, end);
    }
  }

  /** Dates are `2025-…` and not `0044-03-15 BC`; durations start with P (PostgreSQL 17 has infinite ones). */
  #isIso(i: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#kinds[i] === ISO_DATE) return bytes[start + 4] === 0x2d && bytes[end - 1] !== 0x43;
    return bytes[start] === 0x50;
  }
}

const notARow = () => failed('The server sent a row that does not fit the query', 'See the log of the server.');
