import { type CsvWriter, JsonField } from '@ingesta/kit';
import type { CqlType } from './cql-type';
import { type OddDates, SCALAR_TEXT } from './scalar-text';
import { ValueError } from './value-error';
import { readVint } from './vint';

const NUMBERS = new Set([
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'counter',
  'varint',
  'decimal',
  'double',
  'float',
  'boolean',
]);
const TEXTS = new Set(['text', 'varchar', 'ascii']);
/** What becomes digits of bytes, however many those are. */
const BYTES = new Set(['blob', 'custom']);
/** So many become digits at once. */
const HEX_SLICE = 16 * 1024;
/** Elements of these have no length in front of them inside a vector. */
const FIXED_LENGTHS: Record<string, number> = {
  boolean: 1,
  int: 4,
  float: 4,
  bigint: 8,
  double: 8,
  timestamp: 8,
  uuid: 16,
  timeuuid: 16,
};

/**
 * Values of one column as compact JSON, which goes into its field bit by bit. Numbers are written in full precision, what
 * JSON has no form for as a string. Lists, sets, tuples and vectors are arrays, user-defined types objects. A map is an
 * object whose keys are the texts that its keys have in a CSV field; where keys are themselves collections, it is an array
 * of [key, value] pairs. Sensitive members are left out.
 */
export class CqlJson {
  readonly #out: JsonField;
  /** The column, then the keys down to here. */
  readonly #path: string[];

  constructor(
    writer: CsvWriter,
    column: string,
    readonly isSensitiveKey: (path: readonly string[]) => boolean,
    readonly odd: OddDates,
  ) {
    this.#out = new JsonField(writer);
    this.#path = [column];
  }

  /** One value, not null, as a field. Throws `ValueError` on bytes that are none of the type. */
  write(type: CqlType, bytes: Buffer, start: number, end: number): void {
    this.#value(type, bytes, start, end);
    this.#out.end();
  }

  #value(type: CqlType, bytes: Buffer, start: number, end: number): void {
    if (type.kind === 'scalar') this.#scalar(type.name, bytes, start, end);
    // Zero bytes are a legal value of a frozen type: nothing in it, and not null.
    else if (start === end) this.#out.ascii('""');
    else if (type.kind === 'list') this.#list(type.of, bytes, start, end);
    else if (type.kind === 'map') this.#map(type, bytes, start, end);
    else if (type.kind === 'tuple') this.#tuple(type.of, bytes, start, end);
    else if (type.kind === 'udt') this.#userType(type, bytes, start, end);
    else this.#vector(type, bytes, start, end);
  }

  #scalar(name: string, bytes: Buffer, start: number, end: number): void {
    const out = this.#out;
    if (TEXTS.has(name)) out.text(bytes, start, end);
    else if (BYTES.has(name)) {
      out.ascii('"');
      for (let from = start; from < end; from += HEX_SLICE) {
        out.ascii(bytes.toString('hex', from, Math.min(end, from + HEX_SLICE)));
      }
      out.ascii('"');
    } else {
      const text = this.#scalarText(name, bytes, start, end);
      // NaN, the infinities and values of zero bytes are no JSON numbers.
      out.ascii(NUMBERS.has(name) && /\d$|e$/.test(text) ? text : `"${text}"`);
    }
  }

  /** As it stands in a CSV field and as a key of an object. */
  #scalarText(name: string, bytes: Buffer, start: number, end: number): string {
    if (start === end) return '';
    return TEXTS.has(name) ? bytes.toString('utf8', start, end) : SCALAR_TEXT[name]!(bytes, start, end, this.odd);
  }

  #list(of: CqlType, bytes: Buffer, start: number, end: number): void {
    const count = bytes.readInt32BE(start);
    let at = start + 4;
    this.#out.ascii('[');
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#out.ascii(',');
      at = this.#element(of, bytes, at, end);
    }
    assertEnd(at, end);
    this.#out.ascii(']');
  }

  #map({ key, value }: CqlType & { kind: 'map' }, bytes: Buffer, start: number, end: number): void {
    if (key.kind !== 'scalar') {
      this.#pairs(key, value, bytes, start, end);
      return;
    }
    const count = bytes.readInt32BE(start);
    let at = start + 4;
    let first = true;
    this.#out.ascii('{');
    for (let i = 0; i < count; i++) {
      const keyEnd = elementEnd(bytes, at, end);
      const next = elementEnd(bytes, keyEnd, end);
      if (this.#enter(this.#scalarText(key.name, bytes, at + 4, keyEnd), first)) {
        this.#element(value, bytes, keyEnd, end);
        this.#path.pop();
        first = false;
      }
      at = next;
    }
    assertEnd(at, end);
    this.#out.ascii('}');
  }

  #pairs(key: CqlType, value: CqlType, bytes: Buffer, start: number, end: number): void {
    const count = bytes.readInt32BE(start);
    let at = start + 4;
    this.#out.ascii('[');
    for (let i = 0; i < count; i++) {
      this.#out.ascii(i > 0 ? ',[' : '[');
      at = this.#element(key, bytes, at, end);
      this.#out.ascii(',');
      at = this.#element(value, bytes, at, end);
      this.#out.ascii(']');
    }
    assertEnd(at, end);
    this.#out.ascii(']');
  }

  #tuple(of: readonly CqlType[], bytes: Buffer, start: number, end: number): void {
    let at = start;
    this.#out.ascii('[');
    for (let i = 0; i < of.length; i++) {
      if (i > 0) this.#out.ascii(',');
      at = this.#elementOrLeftOff(of[i]!, bytes, at, end);
    }
    assertEnd(at, end);
    this.#out.ascii(']');
  }

  #userType({ fields }: CqlType & { kind: 'udt' }, bytes: Buffer, start: number, end: number): void {
    let at = start;
    let first = true;
    this.#out.ascii('{');
    for (const { name, type } of fields) {
      if (this.#enter(name, first)) {
        at = this.#elementOrLeftOff(type, bytes, at, end);
        this.#path.pop();
        first = false;
      } else if (at < end) at = elementEnd(bytes, at, end);
    }
    assertEnd(at, end);
    this.#out.ascii('}');
  }

  #vector({ of, dimension }: CqlType & { kind: 'vector' }, bytes: Buffer, start: number, end: number): void {
    const fixed = fixedLength(of);
    let at = start;
    this.#out.ascii('[');
    for (let i = 0; i < dimension; i++) {
      let length = fixed;
      if (length === null) {
        const vint = readVint(bytes, at);
        length = Number(vint.value);
        at = vint.next;
      }
      if (at + length > end) throw brokenValue();
      if (i > 0) this.#out.ascii(',');
      this.#value(of, bytes, at, at + length);
      at += length;
    }
    assertEnd(at, end);
    this.#out.ascii(']');
  }

  /** Writes a member's name, unless it must not leave: then false. Its value is next, and then the path is to be left. */
  #enter(name: string, first: boolean): boolean {
    this.#path.push(name);
    if (this.isSensitiveKey(this.#path)) {
      this.#path.pop();
      return false;
    }
    if (!first) this.#out.ascii(',');
    this.#out.string(name);
    this.#out.ascii(':');
    return true;
  }

  /** Four bytes of length, negative for null, then that many; gives where that ends. */
  #element(type: CqlType, bytes: Buffer, at: number, end: number): number {
    const next = elementEnd(bytes, at, end);
    if (bytes.readInt32BE(at) < 0) this.#out.ascii('null');
    else this.#value(type, bytes, at + 4, next);
    return next;
  }

  /** What was left off at the end of a tuple or a user-defined type is null. */
  #elementOrLeftOff(type: CqlType, bytes: Buffer, at: number, end: number): number {
    if (at < end) return this.#element(type, bytes, at, end);
    this.#out.ascii('null');
    return at;
  }
}

function elementEnd(bytes: Buffer, at: number, end: number): number {
  if (at + 4 > end) throw brokenValue();
  const next = at + 4 + Math.max(0, bytes.readInt32BE(at));
  if (next > end) throw brokenValue();
  return next;
}

function fixedLength(type: CqlType): number | null {
  if (type.kind === 'scalar') return FIXED_LENGTHS[type.name] ?? null;
  if (type.kind !== 'vector') return null;
  const element = fixedLength(type.of);
  return element === null ? null : element * type.dimension;
}

/** Bytes behind the last known field: somebody added one to the type after it was looked up. */
function assertEnd(at: number, end: number): void {
  if (at !== end) throw brokenValue();
}

const brokenValue = () => new ValueError('a value does not have the form of its type');
