import type { LogicalType } from '@ingesta/kit';
import { hasLoneSurrogate } from './json-scan';

/** Bits of what was seen in one column; null is none of them. */
export const SEEN = {
  boolean: 1,
  integer: 2,
  decimal: 4,
  float: 8,
  text: 16,
  json: 32,
  /** A number with more digits than an IEEE double surely keeps. */
  manyDigits: 64,
  /** An integer that may be beyond 64 bits. */
  bigInteger: 128,
} as const;

const DOUBLE_DIGITS = 15;
const INT64_DIGITS = 18;

/** The bits of one value, which is valid JSON. */
export function seenIn(line: Uint8Array, start: number, end: number): number {
  switch (line[start]) {
    case 0x6e:
      return 0;
    case 0x74:
    case 0x66:
      return SEEN.boolean;
    case 0x22:
      return hasLoneSurrogate(line, start, end) ? SEEN.json : SEEN.text;
    case 0x7b:
    case 0x5b:
      return SEEN.json;
    default:
      return seenInNumber(line, start, end);
  }
}

function seenInNumber(line: Uint8Array, start: number, end: number): number {
  let kind: number = SEEN.integer;
  let digits = 0;
  for (let at = start; at < end; at++) {
    const byte = line[at]!;
    if (byte === 0x2e) kind = SEEN.decimal;
    else if (byte === 0x65 || byte === 0x45) {
      kind = SEEN.float;
      // With three digits in the exponent a double comes to its limits.
      if (/\d{3}/.test(Buffer.from(line.subarray(at, end)).toString('latin1')))
        digits = Math.max(digits, DOUBLE_DIGITS + 1);
      break;
    } else if (byte !== 0x2d) digits++;
  }
  if (digits > DOUBLE_DIGITS) kind |= SEEN.manyDigits;
  if (digits > INT64_DIGITS) kind |= SEEN.bigInteger;
  return kind;
}

/** The narrowest type that keeps every value of a column as it is. */
export function logicalTypeOf(seen: number): LogicalType {
  const kinds = seen & (SEEN.manyDigits - 1);
  if (kinds === SEEN.boolean) return 'boolean';
  if (kinds === SEEN.text || kinds === 0) return 'text';
  if (kinds === SEEN.integer) return seen & SEEN.bigInteger ? 'decimal' : 'integer';
  if ((kinds & ~(SEEN.integer | SEEN.decimal)) === 0) return 'decimal';
  const numbers = SEEN.integer | SEEN.decimal | SEEN.float;
  // As JSON a number has any digits and any exponent.
  if ((kinds & ~numbers) === 0 && !(seen & SEEN.manyDigits)) return 'float';
  return 'json';
}

/** The JSON kind that stands in the manifest as the source's own type. */
export function sourceTypeOf(seen: number): string {
  const kinds = seen & (SEEN.manyDigits - 1);
  if (kinds === 0) return 'null';
  if (kinds === SEEN.boolean) return 'boolean';
  if (kinds === SEEN.text) return 'string';
  if (kinds === SEEN.json) return 'json';
  return (kinds & (SEEN.boolean | SEEN.text | SEEN.json)) === 0 ? 'number' : 'mixed';
}
