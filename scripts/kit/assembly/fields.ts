import { COMMA, CR, DASH, EMPTY, LF, QUOTE } from './characters';
import { json } from './json-text';
import { hexBlock } from './numbers';

/** A field that is left to the caller; returns where the output ends. */
declare function other(column: i32, start: usize, end: usize, out: usize): usize;

/** As in src/csv/row-kernel.ts. */
const PLAIN: u8 = 0;
const TEXT: u8 = 1;
const HEX: u8 = 2;
const BOOLEAN: u8 = 3;
const HEX_TEXT: u8 = 4;
const ISO_DATE: u8 = 5;
const JSON_TEXT: u8 = 6;

/** Writes a value, which is not NULL, as a field of the CSV; returns where that ends. */
export function field(kind: u8, column: i32, start: usize, end: usize, out: usize): usize {
  switch (kind) {
    case PLAIN:
      return plain(start, end, out);
    case TEXT:
      return text(start, end, out);
    case HEX:
      return hex(start, end, out);
    case BOOLEAN:
      if (load<u8>(start) === 0x74) {
        store<u32>(out, 0x65757274);
        return out + 4;
      }
      store<u32>(out, 0x736c6166);
      store<u8>(out + 4, 0x65);
      return out + 5;
    case HEX_TEXT:
      if (end - start > 2) return plain(start + 2, end, out);
      store<u16>(out, EMPTY);
      return out + 2;
    case ISO_DATE:
      // `2025-…`, and not `0044-03-15 BC`.
      if (load<u8>(start + 4) === DASH && load<u8>(end - 1) !== 0x43) return plain(start, end, out);
      return other(column, start, end, out);
    case JSON_TEXT: {
      const until = json(column, start, end, out);
      return until === 0 ? other(column, start, end, out) : until;
    }
    default:
      return other(column, start, end, out);
  }
}

function plain(start: usize, end: usize, out: usize): usize {
  let to = out;
  for (let at = start; at < end; at += 16) {
    v128.store(to, v128.load(at));
    to += 16;
  }
  return out + (end - start);
}

/** Copied while it is looked at: most texts need no quotes. */
function text(start: usize, end: usize, out: usize): usize {
  let at = start;
  let to = out;
  for (; at + 16 <= end; at += 16) {
    const block = v128.load(at);
    if (v128.any_true(special(block))) return quoted(start, end, out);
    v128.store(to, block);
    to += 16;
  }
  if (at < end) {
    const block = v128.load(at);
    if ((i8x16.bitmask(special(block)) & ((1 << (<i32>(end - at))) - 1)) !== 0) return quoted(start, end, out);
    v128.store(to, block);
  }
  // The empty text is not NULL; a line of `\.` alone ends the data for PostgreSQL's COPY FROM before version 18.
  if (start === end || (end - start === 2 && load<u16>(start) === 0x2e5c)) return quoted(start, end, out);
  return out + (end - start);
}

/** The bytes that force quotes. */
function special(block: v128): v128 {
  return v128.or(
    v128.or(i8x16.eq(block, i8x16.splat(COMMA)), i8x16.eq(block, i8x16.splat(QUOTE))),
    v128.or(i8x16.eq(block, i8x16.splat(LF)), i8x16.eq(block, i8x16.splat(CR))),
  );
}

/** In quotes, with every quote twice: whole blocks up to the next quote, then one byte more. */
function quoted(start: usize, end: usize, out: usize): usize {
  store<u8>(out++, QUOTE);
  for (let at = start; at < end; ) {
    const block = v128.load(at);
    v128.store(out, block);
    const quotes = i8x16.bitmask(i8x16.eq(block, i8x16.splat(QUOTE)));
    const step: usize = quotes === 0 ? 16 : <usize>ctz(quotes) + 1;
    const left = end - at;
    if (left < step) {
      out += left;
      break;
    }
    at += step;
    out += step;
    if (quotes !== 0) store<u8>(out++, QUOTE);
  }
  store<u8>(out++, QUOTE);
  return out;
}

/** Raw bytes as lower-case digits; no bytes at all are the empty text. */
function hex(start: usize, end: usize, out: usize): usize {
  if (start === end) {
    store<u16>(out, EMPTY);
    return out + 2;
  }
  for (let at = start; at < end; at += 16) hexBlock(at, out + 2 * (at - start));
  return out + 2 * (end - start);
}
