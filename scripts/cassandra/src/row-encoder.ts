import type { CsvWriter, TableSelection } from '@ingesta/kit';
import { CqlJson } from './cql-json';
import type { CqlType } from './cql-type';
import type { RawRows } from './raw-rows';
import { type OddDates, SCALAR_TEXT } from './scalar-text';
import { ValueError } from './value-error';

type Field = (bytes: Buffer, start: number, end: number) => void;

/** Longer texts of numbers get a buffer of their own. */
const SCRATCH_BYTES = 512;

/**
 * Writes the cells of raw rows as CSV fields. Of a table that is read by ranges, the first cell of every row is its
 * partition's token, which says how far the range has been read and does not leave.
 */
export class RowEncoder {
  readonly #fields: readonly Field[];
  readonly #odd: OddDates[];
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  constructor(
    readonly writer: CsvWriter,
    readonly selection: TableSelection,
    types: readonly CqlType[],
    readonly hasToken: boolean,
  ) {
    this.#odd = types.map(() => ({ count: 0 }));
    this.#fields = types.map((type, i) => this.#field(type, i));
  }

  /** All the rows of a page. Gives the last one's token, null where there is none, and their size. */
  page({ bytes, offset, length, columns }: RawRows): { token: bigint | null; bytes: number } {
    const { hasToken } = this;
    const fields = this.#fields;
    if (columns !== fields.length + (hasToken ? 1 : 0))
      throw new ValueError('a page does not hold the columns that were asked for');
    const writer = this.writer;
    let at = offset;
    let token: bigint | null = null;
    for (let row = 0; row < length; row++) {
      if (hasToken) {
        const tokenBytes = bytes.readInt32BE(at);
        at += 4;
        if (row === length - 1) token = readToken(bytes, at, tokenBytes);
        at += tokenBytes;
      }
      for (let i = 0; i < fields.length; i++) {
        const size = bytes.readInt32BE(at);
        at += 4;
        if (size < 0) {
          writer.null();
          continue;
        }
        const end = at + size;
        if (end > bytes.length) throw new ValueError('a row is longer than its page');
        // Zero bytes are a legal value of most types, and not null.
        if (size === 0) writer.text(bytes, at, at);
        else fields[i]!(bytes, at, end);
        at = end;
      }
      writer.endRow();
    }
    return { token, bytes: at - offset };
  }

  /** Columns with dates outside the years 0000 to 9999, and how many. */
  oddDates(): { column: string; values: number }[] {
    return this.selection.columns
      .map(({ name }, i) => ({ column: name, values: this.#odd[i]!.count }))
      .filter(({ values }) => values > 0);
  }

  #field(type: CqlType, i: number): Field {
    const { writer } = this;
    const odd = this.#odd[i]!;
    if (type.kind === 'scalar') {
      switch (type.name) {
        case 'text':
        case 'varchar':
        case 'ascii':
          return (bytes, start, end) => writer.text(bytes, start, end);
        case 'blob':
        case 'custom':
          return (bytes, start, end) => writer.hex(bytes, start, end);
        default: {
          const text = SCALAR_TEXT[type.name]!;
          return (bytes, start, end) => this.#plain(text(bytes, start, end, odd));
        }
      }
    }
    const { columns, isSensitiveKey } = this.selection;
    const json = new CqlJson(writer, columns[i]!.name, isSensitiveKey, odd);
    return (bytes, start, end) => json.write(type, bytes, start, end);
  }

  #plain(text: string): void {
    const bytes = text.length <= SCRATCH_BYTES ? this.#scratch : Buffer.allocUnsafe(text.length);
    this.writer.plain(bytes, 0, bytes.write(text, 0, 'latin1'));
  }
}

/** Eight bytes of Murmur3Partitioner, more or fewer of RandomPartitioner. */
function readToken(bytes: Buffer, at: number, length: number): bigint {
  if (length <= 0) throw new ValueError('a row came without its token');
  if (length === 8) return bytes.readBigInt64BE(at);
  return BigInt.asIntN(length * 8, BigInt(`0x${bytes.toString('hex', at, at + length)}`));
}
