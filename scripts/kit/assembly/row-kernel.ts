/**
 * Rows of two wire protocols to CSV, 16 bytes at a time. AssemblyScript: build.mjs makes WebAssembly of it, and
 * scripts/kit/src/csv/row-kernel.ts is the only caller; it lays out the memory, and copies rows in and CSV out.
 *
 * Nothing here decides what a CSV looks like: it writes the bytes that CsvWriter would write, and its test compares them.
 * Blocks of 16 bytes are read and written past the end of a field: the caller leaves that much room behind both areas.
 */

import { COMMA, LF } from './characters';
import { field } from './fields';

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
 * MySQL: payloads of row packets, each behind its length in four bytes (ours, little-endian). A value is its length, in
 * 1, 3, 4 or 9 bytes, and its text; 0xfb is NULL. Stops at a row that does not fit the query, or has a value beyond 64 KiB.
 */
export function packedRows(from: usize, to: usize, out: usize, kinds: usize, columns: i32): void {
  let at = from;
  let csv = out;
  let count = 0;
  while (at + 4 <= to) {
    const end = at + 4 + load<u32>(at);
    if (end > to) break;
    let value = at + 4;
    let csvEnd = csv;
    let i = 0;
    for (; i < columns; i++) {
      if (i > 0) store<u8>(csvEnd++, COMMA);
      if (value >= end) break;
      let length: usize = load<u8>(value++);
      if (length === 0xfb) continue;
      if (length > 0xfc) break;
      if (length === 0xfc) {
        length = load<u16>(value);
        value += 2;
      }
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

function bigEndian(at: usize): usize {
  return bswap<u32>(load<u32>(at));
}

function tell(bytes: usize, csv: usize, count: i32): void {
  taken = <i32>bytes;
  written = <i32>csv;
  rows = count;
}
