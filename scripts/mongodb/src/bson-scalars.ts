import { Decimal128 } from 'mongodb';

/** The shortest text that reads back as the same double; `-0` keeps its sign. */
export const doubleText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** An int64's decimal text. */
export function longText(bytes: Buffer, at: number): string {
  const high = bytes.readInt32LE(at + 4);
  const low = bytes.readUInt32LE(at);
  // Below 2^53 a double holds it.
  return high >= -0x200000 && high < 0x200000 ? String(high * 0x1_0000_0000 + low) : String(bytes.readBigInt64LE(at));
}

/** A decimal128's text: every digit and the exponent as the specification of its strings has them. */
export const decimalText = (bytes: Buffer, at: number): string =>
  shortDecimal(bytes, at) ?? new Decimal128(Uint8Array.prototype.slice.call(bytes, at, at + 16)).toString();

const BIAS = 6176;

/** Numbers up to 2^53 with few decimals, which most are: the driver's own code takes ten times as long. */
function shortDecimal(bytes: Buffer, at: number): string | null {
  const low = bytes.readUInt32LE(at);
  const high = bytes.readUInt32LE(at + 4);
  const top = bytes.readUInt32LE(at + 12);
  // Digits beyond 2^53, or a number of a special form: NaN, Infinity, exponents of another encoding.
  if (high >= 0x200000 || bytes.readUInt32LE(at + 8) !== 0 || (top & 0x1ffff) !== 0) return null;
  if ((top & 0x6000_0000) === 0x6000_0000) return null;
  const scale = BIAS - ((top >>> 17) & 0x3fff);
  const digits = String(high * 0x1_0000_0000 + low);
  // With an exponent above 0, or with many zeros in front, the text is in scientific notation.
  if (scale < 0 || scale > digits.length + 5) return null;
  const sign = top >>> 31 === 1 ? '-' : '';
  if (scale === 0) return sign + digits;
  const whole = digits.length - scale;
  return whole > 0
    ? `${sign}${digits.slice(0, whole)}.${digits.slice(whole)}`
    : `${sign}0.${'0'.repeat(-whole)}${digits}`;
}

export const objectIdText = (bytes: Buffer, at: number): string => bytes.toString('hex', at, at + 12);

const HEX = Buffer.from('0123456789abcdef');
/** Bytes of a UUID after which its text has a dash. */
const DASHES = new Set([4, 6, 8, 10]);
/** Bytes of a UUID's text. */
export const UUID_LENGTH = 36;

/** Writes the text of the UUID whose 16 bytes stand at `at` to the start of `out`. */
export function writeUuid(out: Uint8Array, bytes: Buffer, at: number): void {
  let used = 0;
  for (let i = 0; i < 16; i++) {
    if (DASHES.has(i)) out[used++] = 0x2d;
    const byte = bytes[at + i]!;
    out[used++] = HEX[byte >> 4]!;
    out[used++] = HEX[byte & 15]!;
  }
}

/** Writes a whole number below 2^53 in decimal to the start of `out`; gives how many bytes it took. */
export function writeInteger(out: Uint8Array, value: number): number {
  let rest = Math.abs(value);
  let length = value < 0 ? 2 : 1;
  for (let bound = 10; rest >= bound; bound *= 10) length++;
  let at = length;
  // Integer arithmetic is quick below 2^31: the digits beyond are taken first, nine at a time.
  while (rest > 0x7fff_ffff) {
    const above = Math.floor(rest / 1e9);
    let nine = (rest - above * 1e9) | 0;
    for (let i = 0; i < 9; i++) {
      const tenth = (nine / 10) | 0;
      out[--at] = 0x30 + nine - tenth * 10;
      nine = tenth;
    }
    rest = above;
  }
  let small = rest | 0;
  do {
    const tenth = (small / 10) | 0;
    out[--at] = 0x30 + small - tenth * 10;
    small = tenth;
  } while (small > 0);
  if (value < 0) out[0] = 0x2d;
  return length;
}
