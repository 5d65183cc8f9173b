import { COLON, COMMA, CR, EMPTY, LF, QUOTE } from './characters';
import { beginKeys, mustStay } from './json-keys';

const BACKSLASH: u8 = 0x5c;
const OPEN_OBJECT: u8 = 0x7b;
const CLOSE_OBJECT: u8 = 0x7d;
const OPEN_ARRAY: u8 = 0x5b;
const CLOSE_ARRAY: u8 = 0x5d;
/** A JSON text that is nested deeper is the caller's. */
const MAX_DEPTH: i32 = 256;
/** The closing bytes of what is open, one per level. */
const CLOSING: usize = memory.data(256);

/** Where the string that was copied last ends, in the input and in the output. */
let stringEnd: usize = 0;
let copyEnd: usize = 0;

/**
 * A JSON text as a CSV field, without the white space between its tokens; 0 where it is broken, nested too deep or has a
 * sensitive key: then the caller does it, as `JsonFilter` says.
 */
export function json(column: i32, start: usize, end: usize, out: usize): usize {
  let at = start;
  let to = out + 1;
  let depth = 0;
  let objects = 0;
  let isQuoted = false;
  let isFirst = true;
  let isKey = false;
  beginKeys();
  while (at < end) {
    at = skipSpace(at, end);
    if (at >= end) break;
    let byte = load<u8>(at);
    if (isKey) {
      if (byte !== QUOTE) return 0;
      if (!isFirst) store<u8>(to++, COMMA);
      if (!copyString(at, end, to) || mustStay(column, objects, at + 1, stringEnd - 1)) return 0;
      to = copyEnd;
      at = skipSpace(stringEnd, end);
      if (at >= end || load<u8>(at++) !== COLON) return 0;
      store<u8>(to++, COLON);
      isQuoted = true;
      isKey = false;
      continue;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (depth === MAX_DEPTH) return 0;
      const close: u8 = byte + 2;
      store<u8>(to++, byte);
      store<u8>(CLOSING + depth++, close);
      if (close === CLOSE_OBJECT) objects++;
      isFirst = true;
      at = skipSpace(at + 1, end);
      if (at >= end || load<u8>(at) !== close) {
        isKey = close === CLOSE_OBJECT;
        continue;
      }
    } else if (byte === QUOTE) {
      if (!copyString(at, end, to)) return 0;
      isQuoted = true;
      to = copyEnd;
      at = stringEnd;
    } else {
      const from = at;
      for (; at < end && !endsWord(load<u8>(at)); at++) store<u8>(to++, load<u8>(at));
      if (at === from) return 0;
    }
    // Behind a value: close what it ends, up to the comma before the next one.
    for (;;) {
      isFirst = false;
      at = skipSpace(at, end);
      if (depth === 0) return at === end ? finished(isQuoted, out, to) : 0;
      if (at >= end) return 0;
      byte = load<u8>(at++);
      const close = load<u8>(CLOSING + depth - 1);
      if (byte === COMMA) {
        isKey = close === CLOSE_OBJECT;
        if (!isKey) {
          store<u8>(to++, COMMA);
          isQuoted = true;
        }
        break;
      }
      if (byte !== close) return 0;
      store<u8>(to++, byte);
      depth--;
      if (byte === CLOSE_OBJECT) objects--;
    }
  }
  return 0;
}

/** Puts the field's quotes around it, or takes back the room for the first one: numbers, words, `[]` and `{}` need none. */
function finished(isQuoted: bool, out: usize, to: usize): usize {
  if (isQuoted) {
    store<u8>(out, QUOTE);
    store<u8>(to, QUOTE);
    return to + 1;
  }
  for (let at = out; at + 1 < to; at++) store<u8>(at, load<u8>(at + 1));
  return to - 1;
}

/** Copies the string whose first quote stands at `start`, every quote twice. False: it has no end. */
function copyString(start: usize, end: usize, out: usize): bool {
  store<u16>(out, EMPTY);
  let at = start + 1;
  let to = out + 2;
  while (at < end) {
    const block = v128.load(at);
    v128.store(to, block);
    const marks = i8x16.bitmask(v128.or(i8x16.eq(block, i8x16.splat(QUOTE)), i8x16.eq(block, i8x16.splat(BACKSLASH))));
    if (marks === 0) {
      at += 16;
      to += 16;
      continue;
    }
    at += ctz(marks);
    to += ctz(marks);
    if (at >= end) return false;
    if (load<u8>(at++) === QUOTE) {
      store<u16>(to, EMPTY);
      stringEnd = at;
      copyEnd = to + 2;
      return true;
    }
    to++;
    if (load<u8>(at) === QUOTE) store<u8>(to++, QUOTE);
    store<u8>(to++, load<u8>(at++));
  }
  return false;
}

function skipSpace(start: usize, end: usize): usize {
  let at = start;
  while (at < end && isSpace(load<u8>(at))) at++;
  return at;
}

function isSpace(byte: u8): bool {
  return byte === 0x20 || byte === LF || byte === CR || byte === 0x09;
}

/** What ends a number or a word. */
function endsWord(byte: u8): bool {
  return (
    isSpace(byte) ||
    byte === COMMA ||
    byte === CLOSE_OBJECT ||
    byte === CLOSE_ARRAY ||
    byte === QUOTE ||
    byte === COLON ||
    byte === OPEN_OBJECT ||
    byte === OPEN_ARRAY
  );
}
