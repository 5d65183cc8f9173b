import { type Column, type CsvWriter, failed, type ScriptError, type TableSelection } from '@ingesta/kit';
import { Bson, valueEnd } from './bson';
import { BsonJson } from './bson-json';
import { decimalText, doubleText, longText, UUID_LENGTH, writeInteger, writeUuid } from './bson-scalars';
import { INSTANT_LENGTH, writeInstant } from './iso-instant';

/** A field of the documents: a column, or one that is known and left out. */
interface Field {
  name: string;
  /** UTF-8, as it stands in the documents. */
  bytes: Buffer;
  column: Column | null;
  /** Place in the row, -1 for a field that is left out. */
  index: number;
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

/**
 * Writes BSON documents as CSV rows, byte by byte where the type allows it. A missing field, `null` and `undefined` all
 * leave the field empty; the empty string is `""`. Throws where a document does not fit the columns: nothing is left
 * out silently.
 */
export class DocumentEncoder {
  rows = 0;
  readonly #fields: Field[];
  readonly #byName: Map<string, Field>;
  readonly #columns: readonly Column[];
  readonly #json: BsonJson;
  readonly #scratch = Buffer.alloc(64);
  /** Of the row at hand, by column: type (0: nothing) and place of the value. */
  readonly #types: Uint8Array;
  readonly #places: Int32Array;
  /** Which field came at which place in the document before: the next one is most likely the same. */
  #order: (Field | null)[] = [];
  readonly #withoutIsoForm: Uint32Array;
  /** Columns with binary values of another subtype than 0, and which. */
  readonly #subtypes = new Map<string, Set<number>>();

  constructor(
    readonly writer: CsvWriter,
    readonly selection: TableSelection,
    /** What it means that a document does not fit, told how. */
    readonly misfit: (how: string) => ScriptError,
  ) {
    this.#columns = selection.columns;
    const index = new Map(selection.columns.map((column, i) => [column.name, i]));
    this.#fields = selection.table.columns.map((column) => ({
      name: column.name,
      bytes: Buffer.from(column.name),
      column,
      index: index.get(column.name) ?? -1,
    }));
    this.#byName = new Map(this.#fields.map((field) => [field.name, field]));
    this.#json = new BsonJson(writer, selection.isSensitiveKey);
    this.#types = new Uint8Array(selection.columns.length);
    this.#places = new Int32Array(selection.columns.length);
    this.#withoutIsoForm = new Uint32Array(selection.columns.length);
  }

  /** One document. */
  row(bytes: Buffer, start: number, end: number): void {
    this.#types.fill(0);
    const last = end - 1;
    let at = start + 4;
    for (let i = 0; at < last; i++) {
      const type = bytes[at]!;
      const field = this.#fieldAt(i, bytes, at + 1);
      const nameEnd = field ? at + 1 + field.bytes.length : bytes.indexOf(0, at + 1);
      const value = nameEnd + 1;
      at = valueEnd(bytes, type, value);
      if (at > last) throw notBson();
      if (field === null || field.index === -1) continue;
      this.#types[field.index] = type;
      this.#places[field.index] = value;
    }
    if (at !== last) throw notBson();
    for (let i = 0; i < this.#columns.length; i++) this.#write(bytes, i);
    this.writer.endRow();
    this.rows++;
  }

  /** Columns with instants that have no ISO form, and how many. */
  get withoutIsoForm(): { column: string; values: number }[] {
    return this.#columns
      .map(({ name }, i) => ({ column: name, values: this.#withoutIsoForm[i]! }))
      .filter(({ values }) => values > 0);
  }

  /** Columns of hex whose values had another subtype than 0. */
  get subtypes(): { column: string; subtypes: number[] }[] {
    return [...this.#subtypes].map(([column, found]) => ({ column, subtypes: [...found].sort((a, b) => a - b) }));
  }

  /** The field whose name stands at `at`; null for a late one that is sensitive. */
  #fieldAt(i: number, bytes: Buffer, at: number): Field | null {
    const likely = this.#order[i];
    if (likely && isName(likely.bytes, bytes, at)) return likely;
    const name = bytes.toString('utf8', at, bytes.indexOf(0, at));
    const field = this.#byName.get(name);
    if (field === undefined) {
      if (this.selection.isSensitiveKey([name])) return null;
      throw this.misfit(`field ${JSON.stringify(name)} appeared`);
    }
    if (i < this.#fields.length) this.#order[i] = field;
    return field;
  }

  #write(bytes: Buffer, i: number): void {
    const type = this.#types[i]!;
    const at = this.#places[i]!;
    const { writer } = this;
    const column = this.#columns[i]!;
    if (type === 0 || type === Bson.NULL || type === Bson.UNDEFINED) {
      writer.null();
      return;
    }
    switch (column.logical_type) {
      case 'text':
        if (type === Bson.STRING && column.source_type === 'string') {
          writer.text(bytes, at + 4, at + 3 + bytes.readInt32LE(at));
          return;
        }
        if (type === Bson.OBJECT_ID && column.source_type === 'objectId') {
          this.writer.hex(bytes, at, at + 12);
          return;
        }
        break;
      case 'integer':
        if (type === Bson.INT) {
          this.#integer(bytes.readInt32LE(at));
          return;
        }
        if (type === Bson.LONG) {
          this.#long(bytes, at);
          return;
        }
        break;
      case 'float':
        if (type === Bson.DOUBLE) {
          this.#plain(doubleText(bytes.readDoubleLE(at)));
          return;
        }
        if (type === Bson.INT) {
          this.#integer(bytes.readInt32LE(at));
          return;
        }
        break;
      case 'decimal':
        if (type === Bson.DECIMAL) {
          this.#plain(decimalText(bytes, at));
          return;
        }
        if (type === Bson.DOUBLE) {
          this.#plain(doubleText(bytes.readDoubleLE(at)));
          return;
        }
        if (type === Bson.INT) {
          this.#integer(bytes.readInt32LE(at));
          return;
        }
        if (type === Bson.LONG) {
          this.#long(bytes, at);
          return;
        }
        break;
      case 'boolean': {
        if (type !== Bson.BOOL) break;
        const word = bytes[at] === 1 ? TRUE : FALSE;
        writer.plain(word, 0, word.length);
        return;
      }
      case 'timestamptz':
        if (type === Bson.DATE) {
          this.#instant(bytes, at, i);
          return;
        }
        break;
      case 'uuid':
        if (type === Bson.BINARY && bytes[at + 4] === 4 && bytes.readInt32LE(at) === 16) {
          writeUuid(this.#scratch, bytes, at + 5);
          writer.plain(this.#scratch, 0, UUID_LENGTH);
          return;
        }
        break;
      case 'binary':
        if (type === Bson.BINARY) {
          this.#binary(bytes, at, column.name);
          return;
        }
        break;
      case 'json':
        this.#json.write(column.name, bytes, type, at);
        return;
    }
    throw this.misfit(`field ${JSON.stringify(column.name)} got a value that is no ${column.source_type}`);
  }

  #plain(ascii: string): void {
    const scratch = this.#scratch;
    const { length } = ascii;
    for (let i = 0; i < length; i++) scratch[i] = ascii.charCodeAt(i);
    this.writer.plain(scratch, 0, length);
  }

  #integer(value: number): void {
    this.writer.plain(this.#scratch, 0, writeInteger(this.#scratch, value));
  }

  #long(bytes: Buffer, at: number): void {
    const high = bytes.readInt32LE(at + 4);
    // Below 2^53 a double holds it.
    if (high >= -0x200000 && high < 0x200000) this.#integer(high * 0x1_0000_0000 + bytes.readUInt32LE(at));
    else this.#plain(longText(bytes, at));
  }

  #instant(bytes: Buffer, at: number, i: number): void {
    // As a double it is exact for every instant that has an ISO form.
    if (writeInstant(this.#scratch, bytes.readInt32LE(at + 4) * 0x1_0000_0000 + bytes.readUInt32LE(at))) {
      this.writer.plain(this.#scratch, 0, INSTANT_LENGTH);
      return;
    }
    this.#withoutIsoForm[i]!++;
    this.writer.string(`{"$date":{"$numberLong":"${longText(bytes, at)}"}}`);
  }

  #binary(bytes: Buffer, at: number, column: string): void {
    const subtype = bytes[at + 4]!;
    const end = at + 5 + bytes.readInt32LE(at);
    if (subtype !== 0) {
      const found = this.#subtypes.get(column);
      if (found) found.add(subtype);
      else this.#subtypes.set(column, new Set([subtype]));
    }
    // The old subtype 2 counts its bytes twice.
    this.writer.hex(bytes, subtype === 2 ? Math.min(at + 9, end) : at + 5, end);
  }
}

function isName(name: Buffer, bytes: Buffer, at: number): boolean {
  const { length } = name;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== name[i]) return false;
  return bytes[at + length] === 0;
}

const notBson = () => failed('The server sent a document that is no BSON', 'Is something between us and the server?');
