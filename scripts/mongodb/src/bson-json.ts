import { Decimal128 } from 'mongodb';

/** BSON's element types. */
export const Bson = {
  DOUBLE: 0x01,
  STRING: 0x02,
  DOCUMENT: 0x03,
  ARRAY: 0x04,
  BINARY: 0x05,
  UNDEFINED: 0x06,
  OBJECT_ID: 0x07,
  BOOL: 0x08,
  DATE: 0x09,
  NULL: 0x0a,
  REGEX: 0x0b,
  DB_POINTER: 0x0c,
  CODE: 0x0d,
  SYMBOL: 0x0e,
  CODE_WITH_SCOPE: 0x0f,
  INT: 0x10,
  TIMESTAMP: 0x11,
  LONG: 0x12,
  DECIMAL: 0x13,
  MAX_KEY: 0x7f,
  MIN_KEY: 0xff,
} as const;

/** Where the value of `type` that starts at `at` ends. Throws on bytes that are no BSON. */
export function valueEnd(bytes: Buffer, type: number, at: number): number {
  switch (type) {
    case Bson.DOUBLE:
    case Bson.DATE:
    case Bson.TIMESTAMP:
    case Bson.LONG:
      return at + 8;
    case Bson.INT:
      return at + 4;
    case Bson.BOOL:
      return at + 1;
    case Bson.OBJECT_ID:
      return at + 12;
    case Bson.DECIMAL:
      return at + 16;
    case Bson.NULL:
    case Bson.UNDEFINED:
    case Bson.MIN_KEY:
    case Bson.MAX_KEY:
      return at;
    case Bson.STRING:
    case Bson.CODE:
    case Bson.SYMBOL:
      return at + 4 + bytes.readInt32LE(at);
    case Bson.BINARY:
      return at + 5 + bytes.readInt32LE(at);
    case Bson.DOCUMENT:
    case Bson.ARRAY:
    case Bson.CODE_WITH_SCOPE:
      return at + bytes.readInt32LE(at);
    case Bson.DB_POINTER:
      return at + 4 + bytes.readInt32LE(at) + 12;
    case Bson.REGEX:
      return bytes.indexOf(0, bytes.indexOf(0, at) + 1) + 1;
    default:
      throw new Error(`BSON type 0x${type.toString(16)} is not known`);
  }
}

/** The shortest text that reads back as the same double; `-0` keeps its sign. */
export const doubleText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** An int64's decimal text. */
export function longText(bytes: Buffer, at: number): string {
  const high = bytes.readInt32LE(at + 4);
  const low = bytes.readUInt32LE(at);
  // Below 2^53 a double holds it.
  return high >= -0x200000 && high < 0x200000 ? String(high * 0x1_0000_0000 + low) : String(bytes.readBigInt64LE(at));
}

export const decimalText = (bytes: Buffer, at: number): string =>
  new Decimal128(Uint8Array.prototype.slice.call(bytes, at, at + 16)).toString();

export const objectIdText = (bytes: Buffer, at: number): string => bytes.toString('hex', at, at + 12);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX = Buffer.from('0123456789abcdef');
/** The letter behind the backslash, for control characters that have one. */
const ESCAPES = new Map([
  [0x08, 0x62],
  [0x09, 0x74],
  [0x0a, 0x6e],
  [0x0c, 0x66],
  [0x0d, 0x72],
]);

/**
 * BSON values as compact Extended JSON v2, relaxed, in UTF-8, without the members whose key is sensitive:
 * - int32 and int64 are numbers with every digit; which of the two it was is not told
 * - doubles are the shortest number that reads back the same, with `.0` where it would else look like an integer;
 *   those without a number of JSON are `{"$numberDouble":"NaN"}`
 * - dates are `{"$date":"2025-01-02T15:30:45.123Z"}`, before 1970 and after 9999 `{"$date":{"$numberLong":"…"}}`
 * - all else wears its canonical form: `$oid`, `$numberDecimal`, `$binary`, `$timestamp`, `$regularExpression` …
 */
export class BsonJson {
  #out = Buffer.allocUnsafeSlow(4096);
  #used = 0;
  readonly #path: string[] = [];

  constructor(readonly isSensitiveKey: (path: readonly string[]) => boolean) {}

  /** The JSON of one value of column `name`: bytes that are valid until the next call. */
  write(name: string, bytes: Buffer, type: number, at: number): Buffer {
    // One huge value must not stay for the rest of the table.
    if (this.#out.length > 1024 * 1024) this.#out = Buffer.allocUnsafeSlow(4096);
    this.#used = 0;
    this.#path.length = 0;
    this.#path.push(name);
    this.#value(bytes, type, at);
    return this.#out.subarray(0, this.#used);
  }

  #value(bytes: Buffer, type: number, at: number): void {
    switch (type) {
      case Bson.STRING:
        this.#text(bytes, at + 4, at + 3 + bytes.readInt32LE(at));
        return;
      case Bson.DOCUMENT:
      case Bson.ARRAY:
        this.#container(bytes, type === Bson.ARRAY, at);
        return;
      case Bson.INT:
        this.#ascii(String(bytes.readInt32LE(at)));
        return;
      case Bson.LONG:
        this.#ascii(longText(bytes, at));
        return;
      case Bson.DOUBLE:
        this.#double(bytes.readDoubleLE(at));
        return;
      case Bson.BOOL:
        this.#ascii(bytes[at] === 1 ? 'true' : 'false');
        return;
      case Bson.NULL:
        this.#ascii('null');
        return;
      case Bson.OBJECT_ID:
        this.#ascii(`{"$oid":"${objectIdText(bytes, at)}"}`);
        return;
      case Bson.DATE:
        this.#date(bytes, at);
        return;
      case Bson.DECIMAL:
        this.#ascii(`{"$numberDecimal":"${decimalText(bytes, at)}"}`);
        return;
      case Bson.BINARY:
        this.#binary(bytes, at);
        return;
      case Bson.TIMESTAMP:
        this.#ascii(`{"$timestamp":{"t":${bytes.readUInt32LE(at + 4)},"i":${bytes.readUInt32LE(at)}}}`);
        return;
      case Bson.REGEX: {
        const end = bytes.indexOf(0, at);
        this.#ascii('{"$regularExpression":{"pattern":');
        this.#text(bytes, at, end);
        this.#ascii(',"options":');
        this.#text(bytes, end + 1, bytes.indexOf(0, end + 1));
        this.#ascii('}}');
        return;
      }
      case Bson.CODE:
        this.#wrapped('{"$code":', bytes, at);
        return;
      case Bson.SYMBOL:
        this.#wrapped('{"$symbol":', bytes, at);
        return;
      case Bson.CODE_WITH_SCOPE: {
        const length = bytes.readInt32LE(at + 4);
        this.#ascii('{"$code":');
        this.#text(bytes, at + 8, at + 7 + length);
        this.#ascii(',"$scope":');
        this.#container(bytes, false, at + 8 + length);
        this.#ascii('}');
        return;
      }
      case Bson.DB_POINTER: {
        const end = at + 4 + bytes.readInt32LE(at);
        this.#ascii('{"$dbPointer":{"$ref":');
        this.#text(bytes, at + 4, end - 1);
        this.#ascii(`,"$id":{"$oid":"${objectIdText(bytes, end)}"}}}`);
        return;
      }
      case Bson.UNDEFINED:
        this.#ascii('{"$undefined":true}');
        return;
      case Bson.MIN_KEY:
        this.#ascii('{"$minKey":1}');
        return;
      case Bson.MAX_KEY:
        this.#ascii('{"$maxKey":1}');
        return;
      default:
        valueEnd(bytes, type, at);
    }
  }

  #container(bytes: Buffer, isArray: boolean, start: number): void {
    const end = start + bytes.readInt32LE(start) - 1;
    this.#ascii(isArray ? '[' : '{');
    let first = true;
    let at = start + 4;
    while (at < end) {
      const type = bytes[at]!;
      const nameStart = at + 1;
      const nameEnd = bytes.indexOf(0, nameStart);
      const value = nameEnd + 1;
      at = valueEnd(bytes, type, value);
      if (!isArray) {
        this.#path.push(bytes.toString('utf8', nameStart, nameEnd));
        if (this.isSensitiveKey(this.#path)) {
          this.#path.pop();
          continue;
        }
      }
      if (!first) this.#ascii(',');
      first = false;
      if (isArray) this.#value(bytes, type, value);
      else {
        this.#text(bytes, nameStart, nameEnd);
        this.#ascii(':');
        this.#value(bytes, type, value);
        this.#path.pop();
      }
    }
    this.#ascii(isArray ? ']' : '}');
  }

  #double(value: number): void {
    if (!Number.isFinite(value)) {
      this.#ascii(`{"$numberDouble":"${value}"}`);
      return;
    }
    const text = doubleText(value);
    this.#ascii(/[.e]/.test(text) ? text : `${text}.0`);
  }

  #date(bytes: Buffer, at: number): void {
    const time = Number(bytes.readBigInt64LE(at));
    // 1970 to 9999, as the specification has it.
    const text =
      time >= 0 && time < 253_402_300_800_000
        ? `"${new Date(time).toISOString().replace('.000Z', 'Z')}"`
        : `{"$numberLong":"${longText(bytes, at)}"}`;
    this.#ascii(`{"$date":${text}}`);
  }

  #binary(bytes: Buffer, at: number): void {
    const subType = bytes[at + 4]!;
    let [start, end] = [at + 5, at + 5 + bytes.readInt32LE(at)];
    // The old subtype 2 counts its bytes twice.
    if (subType === 2) start += 4;
    if (end < start) end = start;
    const kind = subType.toString(16).padStart(2, '0');
    this.#ascii(`{"$binary":{"base64":"${bytes.toString('base64', start, end)}","subType":"${kind}"}}`);
  }

  #wrapped(open: string, bytes: Buffer, at: number): void {
    this.#ascii(open);
    this.#text(bytes, at + 4, at + 3 + bytes.readInt32LE(at));
    this.#ascii('}');
  }

  #ascii(text: string): void {
    this.#reserve(text.length);
    const out = this.#out;
    let used = this.#used;
    if (text.length > 64) used += out.write(text, used, 'latin1');
    else for (let i = 0; i < text.length; i++) out[used++] = text.charCodeAt(i);
    this.#used = used;
  }

  /** UTF-8 bytes as a JSON string. */
  #text(bytes: Buffer, start: number, end: number): void {
    // The worst case: every byte a control character.
    this.#reserve(end - start + 2);
    let out = this.#out;
    let used = this.#used;
    out[used++] = QUOTE;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
        out[used++] = byte;
        continue;
      }
      // Room for the escape, and for all that still follows.
      this.#used = used;
      this.#reserve(end - i + 7);
      out = this.#out;
      out[used++] = BACKSLASH;
      const letter = byte >= 0x20 ? byte : ESCAPES.get(byte);
      if (letter !== undefined) out[used++] = letter;
      else {
        out[used++] = 0x75;
        out[used++] = 0x30;
        out[used++] = 0x30;
        out[used++] = HEX[byte >> 4]!;
        out[used++] = HEX[byte & 15]!;
      }
    }
    out[used++] = QUOTE;
    this.#used = used;
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#out.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.ceil(this.#out.length * 1.5)));
    this.#out.copy(grown, 0, 0, this.#used);
    this.#out = grown;
  }
}
