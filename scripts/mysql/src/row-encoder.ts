import {
  type Column,
  type CsvWriter,
  FieldKind,
  JsonFilter,
  JsonSyntaxError,
  type LogicalType,
  MAX_INPUT,
  RowKernel,
  type TableSelection,
  writeJson,
  writeText,
} from '@ingesta/kit';
import { isRealDate } from './real-date';

const { PLAIN, TEXT, HEX, CALENDAR_DATE, CALENDAR_INSTANT, JSON: JSON_TEXT, OTHER } = FieldKind;

/** How a field goes from the packet into the CSV. */
const KINDS: Partial<Record<LogicalType, number>> = {
  integer: PLAIN,
  decimal: PLAIN,
  float: PLAIN,
  interval: PLAIN,
  uuid: PLAIN,
  date: CALENDAR_DATE,
  timestamp: CALENDAR_DATE,
  timestamptz: CALENDAR_INSTANT,
  binary: HEX,
  json: JSON_TEXT,
};

const UTC = Buffer.from('+00');

/**
 * Writes rows of the text protocol as CSV rows: fields are copied as bytes, values never become strings. Rows wait until
 * there are many: `flush` writes those that still do.
 */
export class RowEncoder {
  readonly #kinds: Uint8Array;
  readonly #columns: readonly Column[];
  /** Of the columns that hold JSON, or may. */
  readonly #filters: (JsonFilter | null)[];
  readonly #maybeJson: boolean[];
  readonly #noIso: Uint32Array;
  readonly #kernel: RowKernel;
  /** Rows that wait, each behind its length in four bytes. */
  readonly #waiting = Buffer.allocUnsafeSlow(MAX_INPUT);
  #waitingBytes = 0;

  constructor(
    readonly writer: CsvWriter,
    readonly selection: TableSelection,
    maybeJson: readonly string[] = [],
  ) {
    const { columns, isSensitiveKey } = selection;
    this.#columns = columns;
    this.#maybeJson = columns.map(({ name, logical_type }) => !KINDS[logical_type] && maybeJson.includes(name));
    this.#kinds = Uint8Array.from(columns, ({ logical_type }, i) =>
      this.#maybeJson[i] ? OTHER : (KINDS[logical_type] ?? TEXT),
    );
    this.#filters = columns.map(({ name }, i) =>
      this.#kinds[i]! >= JSON_TEXT ? new JsonFilter(name, isSensitiveKey) : null,
    );
    this.#noIso = new Uint32Array(columns.length);
    this.#kernel = new RowKernel(this.#kinds, this.#filters, writer, (i, bytes, from, to, at) => {
      if (this.#isJson(i, bytes, from, to)) return writeJson(this.#filters[i]!, bytes, from, to, bytes, at);
      if (this.#filters[i]) return writeText(bytes, from, to, bytes, at);
      bytes.copyWithin(at, from, to);
      const end = at + to - from;
      if (!this.#isDay(i, bytes, from) || this.#kinds[i] !== CALENDAR_INSTANT) return end;
      bytes.set(UTC, end);
      return end + UTC.length;
    });
  }

  /** One row packet's payload: `bytes[start, end)`. */
  row(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.#waitingBytes + 4 + length > MAX_INPUT) {
      this.flush();
      if (4 + length > MAX_INPUT) {
        this.#row(bytes, start, end);
        return;
      }
    }
    const waiting = this.#waiting;
    waiting.writeUInt32LE(length, this.#waitingBytes);
    waiting.set(bytes.subarray(start, end), this.#waitingBytes + 4);
    this.#waitingBytes += 4 + length;
  }

  /** Writes the rows that wait. */
  flush(): void {
    const waiting = this.#waiting;
    const bytes = this.#waitingBytes;
    this.#waitingBytes = 0;
    for (let at = 0; at < bytes; ) {
      at += this.#kernel.packedRows(waiting, at, bytes);
      if (at === bytes) return;
      const end = at + 4 + waiting.readUInt32LE(at);
      this.#row(waiting, at + 4, end);
      at = end;
    }
  }

  /** Columns with values that are no date of the calendar, and how many; those stand in the CSV as the server prints them. */
  noIsoValues(): { column: string; values: number }[] {
    return this.#columns
      .map(({ name }, i) => ({ column: name, values: this.#noIso[i]! }))
      .filter(({ values }) => values > 0);
  }

  /** A row that the kernel does not take. */
  #row(bytes: Uint8Array, start: number, end: number): void {
    const { writer } = this;
    let at = start;
    for (let i = 0; i < this.#kinds.length; i++) {
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
      this.#field(i, bytes, at, to);
      at = to;
    }
    if (at !== end) throw brokenPacket();
    writer.endRow();
  }

  #field(i: number, bytes: Uint8Array, start: number, end: number): void {
    const { writer } = this;
    const kind = this.#kinds[i];
    if (kind === PLAIN) writer.plain(bytes, start, end);
    else if (kind === HEX) writer.hex(bytes, start, end);
    else if (this.#isJson(i, bytes, start, end)) writer.json(this.#filters[i]!, bytes, start, end);
    else if (kind === TEXT || kind === OTHER) writer.text(bytes, start, end);
    else {
      writer.plain(bytes, start, end);
      if (this.#isDay(i, bytes, start) && kind === CALENDAR_INSTANT) writer.suffix(UTC);
    }
  }

  /** A zero date, say, is no day and no instant; it is counted. */
  #isDay(i: number, bytes: Uint8Array, start: number): boolean {
    if (isRealDate(bytes, start)) return true;
    this.#noIso[i]!++;
    return false;
  }

  /** Where a column may hold other text as well, only JSON with a sensitive key in it counts: the rest stays as it stands. */
  #isJson(i: number, bytes: Uint8Array, start: number, end: number): boolean {
    const filter = this.#filters[i];
    if (!filter || !this.#maybeJson[i]) return filter !== null;
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

/** Whether an object or a list may begin here, after white space. */
function startsAsJson(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && bytes[at]! <= 0x20) at++;
  return at < end && (bytes[at] === 0x7b || bytes[at] === 0x5b);
}

const brokenPacket = () => new Error('A row does not have the fields that were asked for');
