import { readVint, unzigzag } from './vint';

/** Values of `date` and `timestamp` outside the years 0000 to 9999, which most readers of ISO dates refuse. */
export interface OddDates {
  count: number;
}

type ScalarText = (bytes: Buffer, start: number, end: number, odd: OddDates) => string;

const MS_PER_DAY = 86_400_000;

/**
 * Text of the values of a scalar type, but for text itself. None gets an empty value: types that have no empty text
 * may still hold zero bytes, which are no null.
 */
export const SCALAR_TEXT: Record<string, ScalarText> = {
  boolean: (bytes, start) => (bytes[start] === 0 ? 'false' : 'true'),
  tinyint: (bytes, start) => String(bytes.readInt8(start)),
  smallint: (bytes, start) => String(bytes.readInt16BE(start)),
  int: (bytes, start) => String(bytes.readInt32BE(start)),
  bigint,
  counter: bigint,
  varint,
  decimal,
  double: (bytes, start) => doubleText(bytes.readDoubleBE(start)),
  float: (bytes, start) => floatText(bytes.readFloatBE(start)),
  date: (bytes, start, _end, odd) => isoDate(bytes.readUInt32BE(start) - 2 ** 31, odd),
  time: (bytes, start) => timeOfDay(bytes.readBigInt64BE(start)),
  timestamp,
  duration,
  timeuuid: uuid,
  uuid,
  inet,
  blob: (bytes, start, end) => bytes.toString('hex', start, end),
  custom: (bytes, start, end) => bytes.toString('hex', start, end),
};

function bigint(bytes: Buffer, start: number): string {
  const high = bytes.readInt32BE(start);
  // Up to 2^53 a plain number is exact, and faster.
  if (high >= -0x20_0000 && high < 0x20_0000) return String(high * 2 ** 32 + bytes.readUInt32BE(start + 4));
  return String(bytes.readBigInt64BE(start));
}

const bigIntOf = (bytes: Buffer, start: number, end: number): bigint =>
  BigInt.asIntN((end - start) * 8, BigInt(`0x${bytes.toString('hex', start, end)}`));

function varint(bytes: Buffer, start: number, end: number): string {
  return String(end - start <= 6 ? bytes.readIntBE(start, end - start) : bigIntOf(bytes, start, end));
}

/** More digits than this behind the point are written with an exponent: a scale of two billion is a valid one. */
const MAX_PLAIN_SCALE = 400;

/** Keeps the scale: `1.50` stays apart from `1.5`. A negative one has no other form than the exponent: `15E+3`. */
function decimal(bytes: Buffer, start: number, end: number): string {
  const scale = bytes.readInt32BE(start);
  const unscaled = varint(bytes, start + 4, end);
  if (scale === 0) return unscaled;
  if (scale < 0) return `${unscaled}E+${-scale}`;
  if (scale > MAX_PLAIN_SCALE) return `${unscaled}E-${scale}`;
  const negative = unscaled.startsWith('-');
  const digits = (negative ? unscaled.slice(1) : unscaled).padStart(scale + 1, '0');
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

const doubleText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** The shortest text that reads back to the same 32 bits. */
export function floatText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 24) return doubleText(value);
  if (!Number.isFinite(value)) return String(value);
  // Six digits always survive; only the smallest values (denormals) have fewer.
  const fewest = Math.abs(value) < 2 ** -126 ? 1 : 6;
  for (let digits = fewest; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return String(candidate);
  }
  return String(Number(value.toPrecision(9)));
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');

/** The civil date of a day counted from 1970-01-01, in the proleptic Gregorian calendar, over the whole range. */
function isoDate(day: number, odd: OddDates): string {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const rest = `-${pad(month, 2)}-${pad(dayOfMonth, 2)}`;
  if (year >= 0 && year <= 9999) return pad(year, 4) + rest;
  odd.count++;
  return `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 4)}${rest}`;
}

function timeOfDay(nanoseconds: bigint): string {
  const seconds = Number(nanoseconds / 1_000_000_000n);
  const fraction = String(nanoseconds % 1_000_000_000n).padStart(9, '0');
  return `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}.${fraction}`;
}

function timestamp(bytes: Buffer, start: number, _end: number, odd: OddDates): string {
  const high = bytes.readInt32BE(start);
  let day: number;
  let ms: number;
  if (high >= -0x20_0000 && high < 0x20_0000) {
    const instant = high * 2 ** 32 + bytes.readUInt32BE(start + 4);
    day = Math.floor(instant / MS_PER_DAY);
    ms = instant - day * MS_PER_DAY;
  } else {
    const instant = bytes.readBigInt64BE(start);
    ms = Number(((instant % BigInt(MS_PER_DAY)) + BigInt(MS_PER_DAY)) % BigInt(MS_PER_DAY));
    day = Number((instant - BigInt(ms)) / BigInt(MS_PER_DAY));
  }
  const time = `${pad(Math.floor(ms / 3_600_000), 2)}:${pad(Math.floor(ms / 60_000) % 60, 2)}:${pad(Math.floor(ms / 1000) % 60, 2)}.${pad(ms % 1000, 3)}`;
  return `${isoDate(day, odd)} ${time}+00`;
}

const abs = (value: bigint): bigint => (value < 0n ? -value : value);

/** As Cassandra writes and reads it (`1y2mo3d4h5m6s7ms8us9ns`): its ISO 8601 form has no fractions of a second. */
function duration(bytes: Buffer, start: number): string {
  const months = readVint(bytes, start);
  const days = readVint(bytes, months.next);
  const nanoseconds = readVint(bytes, days.next);
  const parts = [unzigzag(months.value), unzigzag(days.value), unzigzag(nanoseconds.value)];
  let text = parts.some((part) => part < 0n) ? '-' : '';
  const add = (value: bigint, units: [bigint, string][]) => {
    let rest = abs(value);
    for (const [size, unit] of units) {
      if (rest >= size) text += `${rest / size}${unit}`;
      rest %= size;
    }
  };
  add(parts[0]!, [
    [12n, 'y'],
    [1n, 'mo'],
  ]);
  add(parts[1]!, [[1n, 'd']]);
  add(parts[2]!, [
    [3_600_000_000_000n, 'h'],
    [60_000_000_000n, 'm'],
    [1_000_000_000n, 's'],
    [1_000_000n, 'ms'],
    [1_000n, 'us'],
    [1n, 'ns'],
  ]);
  return text === '' ? '0s' : text;
}

function uuid(bytes: Buffer, start: number): string {
  const hex = bytes.toString('hex', start, start + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function inet(bytes: Buffer, start: number, end: number): string {
  if (end - start === 4) return bytes.subarray(start, end).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(start + 2 * i).toString(16));
  // The longest run of zeros, the first of equals, two at least: RFC 5952.
  let best = { at: 0, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (groups[at + length] === '0') length++;
    if (length > best.length) best = { at, length };
  }
  if (best.length === 1) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}
