/**
 * Rows of two wire protocols to CSV, 16 bytes at a time. AssemblyScript: build.mjs makes WebAssembly of it, and
 * scripts/kit/src/csv/row-kernel.ts is the only caller; it lays out the memory, and copies rows in and CSV out.
 *
 * Nothing here decides what a CSV looks like: it writes the bytes that CsvWriter would write, and its test compares them.
 * Blocks of 16 bytes are read and written past the end of a field: the caller leaves that much room behind both areas.
 */

import { COMMA, LF } from './characters';
import { field } from './fields';
import { fixedValue, INT8, valueEnd } from './mysql-values';

/** For another query. */
export { forgetKeys } from './json-keys';
/** One value that is no string; for rows that are the caller's. */
export { fixedValue, valueEnd } from './mysql-values';

/** Where the module's own data ends, and the caller's areas may begin. */
export const heapBase: usize = __heap_base;

/** What the last call took and made: bytes of input, bytes of CSV, rows. */
export let taken: i32 = 0;
export let written: i32 = 0;
export let rows: i32 = 0;

/**
 * PostgreSQL: DataRow messages, whole ones, until something else comes or a row does not fit the query; that is the
 * caller's to deal with. `D`, a length, the number of values, then each value's length (-1 is NULL) and text.
 */
export function dataRows(from: usize, to: usize, out: usize, kinds: usize, columns: i32): void {
  let at = from;
  let csv = out;
  let count = 0;
  while (at + 7 <= to && load<u8>(at) === 0x44) {
    const end = at + 1 + bigEndian(at + 1);
    if (end > to || bswap<u16>(load<u16>(at + 5)) !== <u16>columns) break;
    let value = at + 7;
    let csvEnd = csv;
    let i = 0;
    for (; i < columns; i++) {
      if (i > 0) store<u8>(csvEnd++, COMMA);
      if (value + 4 > end) break;
      const length = bigEndian(value);
      value += 4;
      if (length === 0xffffffff) continue;
      if (value + length > end) break;
      csvEnd = field(load<u8>(kinds + i), i, value, value + length, csvEnd);
      value += length;
    }
    if (i < columns || value !== end) break;
    store<u8>(csvEnd++, LF);
    csv = csvEnd;
    at = end;
    count++;
  }
  tell(at - from, csv - out, count);
}

/**
 * MySQL: packets with rows of the binary protocol, until something else comes or a row does not fit the query, or has a
 * value beyond 64 KiB. A length of three bytes, a number, then 0, a bit per column that is NULL (from the third bit on),
 * and the values; a string is its length, in 1, 3, 4 or 9 bytes, and its bytes. A kind has the digits behind a second in
 * its upper three bits.
 */
export function binaryRows(from: usize, to: usize, out: usize, kinds: usize, columns: i32): void {
  let at = from;
  let csv = out;
  let count = 0;
  const nullBytes: usize = (columns + 9) >> 3;
  while (at + 5 <= to && load<u8>(at + 4) === 0) {
    const end = at + 4 + (load<u32>(at) & 0xffffff);
    if (end > to) break;
    const nulls = at + 5;
    let value = nulls + nullBytes;
    let csvEnd = csv;
    let i = 0;
    for (; i < columns; i++) {
      if (i > 0) store<u8>(csvEnd++, COMMA);
      if (value > end) break;
      if ((load<u8>(nulls + ((i + 2) >> 3)) >> <u8>((i + 2) & 7)) & 1) continue;
      const kind = load<u8>(kinds + i);
      const form = kind & 31;
      if (form >= INT8) {
        csvEnd = fixedValue(form, kind >> 5, i, value, csvEnd);
        value = valueEnd;
        continue;
      }
      let length: usize = load<u8>(value++);
      if (length > 0xfc) break;
      if (length === 0xfc) {
        length = load<u16>(value);
        value += 2;
      }
      if (value + length > end) break;
      csvEnd = field(form, i, value, value + length, csvEnd);
      value += length;
    }
    if (i < columns || value !== end) break;
    store<u8>(csvEnd++, LF);
    csv = csvEnd;
    at = end;
    count++;
  }
  tell(at - from, csv - out, count);
}

function bigEndian(at: usize): usize {
  return bswap<u32>(load<u32>(at));
}

function tell(bytes: usize, csv: usize, count: i32): void {
  taken = <i32>bytes;
  written = <i32>csv;
  rows = count;
}
