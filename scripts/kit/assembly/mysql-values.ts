/** MySQL's binary protocol: values that are no strings, as the text that the server would have printed. */

import { COLON, DASH } from './characters';
import { digits, float, padded, signed } from './numbers';

/** The column holds a date that is in no calendar. */
declare function noDay(column: i32): void;

/** As in src/csv/row-kernel.ts; what comes before is a string. */
export const INT8: u8 = 8;
const UINT8: u8 = 9;
const INT16: u8 = 10;
const UINT16: u8 = 11;
const INT32: u8 = 12;
const UINT32: u8 = 13;
const INT64: u8 = 14;
const UINT64: u8 = 15;
const YEAR: u8 = 16;
const DATE: u8 = 17;
const DATETIME: u8 = 18;
const INSTANT: u8 = 19;
/** 20 is a time. */
const FLOAT: u8 = 21;

/** Digits of a fraction whose precision the server does not tell: six or none, as the value has them. */
const AS_SENT: u32 = 7;

/** Where the value ends that was written last. */
export let valueEnd: usize = 0;

/** Writes the value at `at`; `fraction` are the digits behind a second. Returns where the text ends. */
export function fixedValue(kind: u8, fraction: u32, column: i32, at: usize, out: usize): usize {
  switch (kind) {
    case INT8:
      valueEnd = at + 1;
      return signed(load<i8>(at), out);
    case UINT8:
      valueEnd = at + 1;
      return digits(load<u8>(at), out);
    case INT16:
      valueEnd = at + 2;
      return signed(load<i16>(at), out);
    case UINT16:
      valueEnd = at + 2;
      return digits(load<u16>(at), out);
    case INT32:
      valueEnd = at + 4;
      return signed(load<i32>(at), out);
    case UINT32:
      valueEnd = at + 4;
      return digits(load<u32>(at), out);
    case INT64:
      valueEnd = at + 8;
      return signed(load<i64>(at), out);
    case UINT64:
      valueEnd = at + 8;
      return digits(load<u64>(at), out);
    case YEAR:
      valueEnd = at + 2;
      return padded(load<u16>(at), 4, out);
    case FLOAT:
      valueEnd = at + 8;
      return float(load<f64>(at), out);
    case DATE:
    case DATETIME:
    case INSTANT:
      return moment(kind, fraction, column, at, out);
    default:
      return time(fraction, at, out);
  }
}

/** A length, then year, month, day; hour, minute, second; microseconds: zeros at the end are left out. */
function moment(kind: u8, fraction: u32, column: i32, at: usize, out: usize): usize {
  const length = load<u8>(at++);
  valueEnd = at + length;
  const year: u32 = length >= 4 ? load<u16>(at) : 0;
  const month: u32 = length >= 4 ? load<u8>(at + 2) : 0;
  const day: u32 = length >= 4 ? load<u8>(at + 3) : 0;
  out = padded(year, 4, out);
  store<u8>(out, DASH);
  out = padded(month, 2, out + 1);
  store<u8>(out, DASH);
  out = padded(day, 2, out + 1);
  if (kind !== DATE) {
    store<u8>(out, 0x20);
    const hms: u32 = length >= 7 ? load<u32>(at + 4) & 0xffffff : 0;
    out = minuteAndSecond(hms, padded(hms & 0xff, 2, out + 1));
    out = behindSecond(fraction, length >= 11 ? load<u32>(at + 7) : 0, length >= 11, out);
  }
  if (!isDay(year, month, day)) {
    noDay(column);
  } else if (kind === INSTANT) {
    store<u8>(out, 0x2b);
    store<u16>(out + 1, 0x3030);
    out += 3;
  }
  return out;
}

/** A length, then a sign, days, hour, minute, second; microseconds. */
function time(fraction: u32, at: usize, out: usize): usize {
  const length = load<u8>(at++);
  valueEnd = at + length;
  let days: u32 = 0;
  let hms: u32 = 0;
  if (length >= 8) {
    if (load<u8>(at) !== 0) store<u8>(out++, DASH);
    days = load<u32>(at + 1);
    hms = load<u32>(at + 5) & 0xffffff;
  }
  const hours = days * 24 + (hms & 0xff);
  out = hours < 100 ? padded(hours, 2, out) : digits(hours, out);
  out = minuteAndSecond(hms, out);
  return behindSecond(fraction, length >= 12 ? load<u32>(at + 8) : 0, length >= 12, out);
}

/** `hms`: a byte for each, the hour in the lowest. */
function minuteAndSecond(hms: u32, out: usize): usize {
  store<u8>(out, COLON);
  out = padded((hms >> 8) & 0xff, 2, out + 1);
  store<u8>(out, COLON);
  return padded((hms >> 16) & 0xff, 2, out + 1);
}

function behindSecond(fraction: u32, microseconds: u32, isSent: bool, out: usize): usize {
  if (fraction === AS_SENT) fraction = isSent ? 6 : 0;
  if (fraction === 0) return out;
  for (let left = fraction; left < 6; left++) microseconds /= 10;
  store<u8>(out, 0x2e);
  return padded(microseconds, fraction, out + 1);
}

/** Of the calendar. MySQL also keeps `0000-00-00`, `2024-00-15` and, with ALLOW_INVALID_DATES, `2024-02-31`. */
function isDay(year: u32, month: u32, day: u32): bool {
  if (month === 0 || month > 12 || day === 0) return false;
  if (day <= 28) return true;
  if (month === 2) return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31);
}
