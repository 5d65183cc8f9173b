import { dtoa_buffered } from 'xjb-as';
import { DASH } from './characters';

/** The shortest text that reads back as the same number, in the form of JavaScript. */
export function float(value: f64, out: usize): usize {
  // The library drops the sign of a zero.
  if (value === 0 && reinterpret<u64>(value) !== 0) store<u8>(out++, DASH);
  const length = dtoa_buffered(out, value);
  // It writes two bytes per character.
  for (let i: usize = 0; i < length; i++) store<u8>(out + i, load<u8>(out + 2 * i));
  return out + length;
}

export function signed(value: i64, out: usize): usize {
  if (value >= 0) return digits(value, out);
  store<u8>(out, DASH);
  return digits(0 - <u64>value, out + 1);
}

export function digits(value: u64, out: usize): usize {
  // Divisions of 32 bits are cheaper.
  if (value >= 100_000_000) {
    const high = value / 100_000_000;
    return padded(<u32>(value - high * 100_000_000), 8, digits(high, out));
  }
  const small = <u32>value;
  let count: u32 = 1;
  for (let limit: u32 = 10; small >= limit; limit *= 10) count++;
  return padded(small, count, out);
}

/** The last `count` digits. */
export function padded(value: u32, count: u32, out: usize): usize {
  const end = out + count;
  let at = end;
  for (; at >= out + 2; ) {
    const rest = value / 100;
    at -= 2;
    const pair = value - rest * 100;
    const tens = pair / 10;
    store<u16>(at, 0x3030 + tens + ((pair - tens * 10) << 8));
    value = rest;
  }
  if (at > out) store<u8>(out, 0x30 + (value % 10));
  return end;
}

/** 16 bytes as 32 lower-case digits. */
export function hexBlock(at: usize, out: usize): void {
  const digits = i32x4(0x33323130, 0x37363534, 0x62613938, 0x66656463);
  const bytes = v128.load(at);
  const high = i8x16.swizzle(digits, i8x16.shr_u(bytes, 4));
  const low = i8x16.swizzle(digits, v128.and(bytes, i8x16.splat(15)));
  v128.store(out, i8x16.shuffle(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  v128.store(out + 16, i8x16.shuffle(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
}
