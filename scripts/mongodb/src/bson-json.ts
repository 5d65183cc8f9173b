import { type CsvWriter, JsonField } from '@ingesta/kit';
import { Bson, valueEnd } from './bson';
import { decimalText, doubleText, longText, objectIdText } from './bson-scalars';

/** Bytes that become text at once: a multiple of three, so that no padding comes in between. */
const BASE64_SLICE = 24 * 1024;

/**
 * BSON values as compact Extended JSON v2, relaxed, in UTF-8, without the members whose key is sensitive:
 * - int32 and int64 are numbers with every digit; which of the two it was is not told
 * - doubles are the shortest number that reads back the same, with `.0` where it would else look like an integer;
 *   those without a number of JSON are `{"$numberDouble":"NaN"}`
 * - dates are `{"$date":"2025-01-02T15:30:45.123Z"}`, before 1970 and after 9999 `{"$date":{"$numberLong":"…"}}`
 * - all else wears its canonical form: `$oid`, `$numberDecimal`, `$binary`, `$timestamp`, `$regularExpression` …
 */
export class BsonJson {
  readonly #out: JsonField;
  readonly #path: string[] = [];

  constructor(
    writer: CsvWriter,
    readonly isSensitiveKey: (path: readonly string[]) => boolean,
  ) {
    this.#out = new JsonField(writer);
  }

  /** One value of column `name` as a field. */
  write(name: string, bytes: Buffer, type: number, at: number): void {
    this.#path.length = 0;
    this.#path.push(name);
    this.#value(bytes, type, at);
    this.#out.end();
  }

  #value(bytes: Buffer, type: number, at: number): void {
    switch (type) {
      case Bson.STRING:
        this.#out.text(bytes, at + 4, at + 3 + bytes.readInt32LE(at));
        return;
      case Bson.DOCUMENT:
      case Bson.ARRAY:
        this.#container(bytes, type === Bson.ARRAY, at);
        return;
      case Bson.INT:
        this.#out.ascii(String(bytes.readInt32LE(at)));
        return;
      case Bson.LONG:
        this.#out.ascii(longText(bytes, at));
        return;
      case Bson.DOUBLE:
        this.#double(bytes.readDoubleLE(at));
        return;
      case Bson.BOOL:
        this.#out.ascii(bytes[at] === 1 ? 'true' : 'false');
        return;
      case Bson.NULL:
        this.#out.ascii('null');
        return;
      case Bson.OBJECT_ID:
        this.#out.ascii(`{"$oid":"${objectIdText(bytes, at)}"}`);
        return;
      case Bson.DATE:
        this.#date(bytes, at);
        return;
      case Bson.DECIMAL:
        this.#out.ascii(`{"$numberDecimal":"${decimalText(bytes, at)}"}`);
        return;
      case Bson.BINARY:
        this.#binary(bytes, at);
        return;
      case Bson.TIMESTAMP:
        this.#out.ascii(`{"$timestamp":{"t":${bytes.readUInt32LE(at + 4)},"i":${bytes.readUInt32LE(at)}}}`);
        return;
      case Bson.REGEX: {
        const end = bytes.indexOf(0, at);
        this.#out.ascii('{"$regularExpression":{"pattern":');
        this.#out.text(bytes, at, end);
        this.#out.ascii(',"options":');
        this.#out.text(bytes, end + 1, bytes.indexOf(0, end + 1));
        this.#out.ascii('}}');
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
        this.#out.ascii('{"$code":');
        this.#out.text(bytes, at + 8, at + 7 + length);
        this.#out.ascii(',"$scope":');
        this.#container(bytes, false, at + 8 + length);
        this.#out.ascii('}');
        return;
      }
      case Bson.DB_POINTER: {
        const end = at + 4 + bytes.readInt32LE(at);
        this.#out.ascii('{"$dbPointer":{"$ref":');
        this.#out.text(bytes, at + 4, end - 1);
        this.#out.ascii(`,"$id":{"$oid":"${objectIdText(bytes, end)}"}}}`);
        return;
      }
      case Bson.UNDEFINED:
        this.#out.ascii('{"$undefined":true}');
        return;
      case Bson.MIN_KEY:
        this.#out.ascii('{"$minKey":1}');
        return;
      case Bson.MAX_KEY:
        this.#out.ascii('{"$maxKey":1}');
        return;
      default:
        valueEnd(bytes, type, at);
    }
  }

  #container(bytes: Buffer, isArray: boolean, start: number): void {
    const end = start + bytes.readInt32LE(start) - 1;
    this.#out.ascii(isArray ? '[' : '{');
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
      if (!first) this.#out.ascii(',');
      first = false;
      if (isArray) this.#value(bytes, type, value);
      else {
        this.#out.text(bytes, nameStart, nameEnd);
        this.#out.ascii(':');
        this.#value(bytes, type, value);
        this.#path.pop();
      }
    }
    this.#out.ascii(isArray ? ']' : '}');
  }

  #double(value: number): void {
    if (!Number.isFinite(value)) {
      this.#out.ascii(`{"$numberDouble":"${value}"}`);
      return;
    }
    const text = doubleText(value);
    this.#out.ascii(/[.e]/.test(text) ? text : `${text}.0`);
  }

  #date(bytes: Buffer, at: number): void {
    const time = Number(bytes.readBigInt64LE(at));
    // 1970 to 9999, as the specification has it.
    const text =
      time >= 0 && time < 253_402_300_800_000
        ? `"${new Date(time).toISOString().replace('.000Z', 'Z')}"`
        : `{"$numberLong":"${longText(bytes, at)}"}`;
    this.#out.ascii(`{"$date":${text}}`);
  }

  #binary(bytes: Buffer, at: number): void {
    const subType = bytes[at + 4]!;
    let [start, end] = [at + 5, at + 5 + bytes.readInt32LE(at)];
    // The old subtype 2 counts its bytes twice.
    if (subType === 2) start += 4;
    if (end < start) end = start;
    const kind = subType.toString(16).padStart(2, '0');
    this.#out.ascii('{"$binary":{"base64":"');
    for (let from = start; from < end; from += BASE64_SLICE) {
      this.#out.ascii(bytes.toString('base64', from, Math.min(end, from + BASE64_SLICE)));
    }
    this.#out.ascii(`","subType":"${kind}"}}`);
  }

  #wrapped(open: string, bytes: Buffer, at: number): void {
    this.#out.ascii(open);
    this.#out.text(bytes, at + 4, at + 3 + bytes.readInt32LE(at));
    this.#out.ascii('}');
  }
}
