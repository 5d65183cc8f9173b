import { JsonSyntaxError } from '@ingesta/kit';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const MINUS = 0x2d;

/** Bytes after a backslash; `u` is followed by four digits. */
const ESCAPES = new Set(Buffer.from('"\\/bfnrtu'));
const LITERALS = ['true', 'false', 'null'].map((text) => Buffer.from(text));

const fail = (): never => {
  throw new JsonSyntaxError('not a JSON object');
};
const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39;
const isHex = (byte: number | undefined) =>
  byte !== undefined && (isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66));

export function skipSpace(line: Uint8Array, at: number): number {
  while (isSpace(line[at])) at++;
  return at;
}

/**
 * Calls `visit` with each member of the object that `line` holds: the key with its quotes, and the value. Checks all of
 * the grammar, nested values too, without making anything of them: numbers keep their digits, and depth costs no stack.
 */
export function scanObject(
  line: Uint8Array,
  visit: (keyStart: number, keyEnd: number, start: number, end: number) => void,
): void {
  let at = skipSpace(line, 0);
  if (line[at] !== OPEN_OBJECT) fail();
  at = skipSpace(line, at + 1);
  if (line[at] === CLOSE_OBJECT) at++;
  else {
    for (;;) {
      const keyStart = at;
      const keyEnd = scanString(line, at);
      const start = skipSpace(line, scanColon(line, keyEnd));
      const end = scanValue(line, start);
      visit(keyStart, keyEnd, start, end);
      at = skipSpace(line, end);
      const byte = line[at++];
      if (byte === CLOSE_OBJECT) break;
      if (byte !== COMMA) fail();
      at = skipSpace(line, at);
    }
  }
  if (skipSpace(line, at) !== line.length) fail();
}

/** The end of the value that begins at `at`. */
function scanValue(line: Uint8Array, at: number): number {
  const closers: number[] = [];
  for (;;) {
    at = skipSpace(line, at);
    const byte = line[at];
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      const closer = byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY;
      at = skipSpace(line, at + 1);
      if (line[at] === closer) at++;
      else {
        closers.push(closer);
        if (closer === CLOSE_OBJECT) at = scanColon(line, scanString(line, at));
        continue;
      }
    } else at = scanScalar(line, at);

    for (;;) {
      const closer = closers[closers.length - 1];
      if (closer === undefined) return at;
      at = skipSpace(line, at);
      const next = line[at++];
      if (next === closer) closers.pop();
      else if (next === COMMA) {
        if (closer === CLOSE_OBJECT) at = scanColon(line, scanString(line, skipSpace(line, at)));
        break;
      } else fail();
    }
  }
}

function scanColon(line: Uint8Array, at: number): number {
  at = skipSpace(line, at);
  return line[at] === COLON ? at + 1 : fail();
}

function scanScalar(line: Uint8Array, at: number): number {
  const byte = line[at];
  if (byte === QUOTE) return scanString(line, at);
  if (byte === MINUS || isDigit(byte)) return scanNumber(line, at);
  for (const literal of LITERALS) {
    if (literal.every((expected, i) => line[at + i] === expected)) return at + literal.length;
  }
  return fail();
}

function scanString(line: Uint8Array, at: number): number {
  if (line[at] !== QUOTE) fail();
  for (at++; ; at++) {
    const byte = line[at];
    if (byte === QUOTE) return at + 1;
    if (byte === undefined || byte < 0x20) fail();
    if (byte !== BACKSLASH) continue;
    const escaped = line[++at];
    if (escaped === undefined || !ESCAPES.has(escaped)) fail();
    if (escaped === 0x75) for (let n = 0; n < 4; n++) if (!isHex(line[++at])) fail();
  }
}

function scanNumber(line: Uint8Array, at: number): number {
  const digits = () => {
    if (!isDigit(line[at])) fail();
    while (isDigit(line[at])) at++;
  };
  if (line[at] === MINUS) at++;
  if (line[at] === 0x30) at++;
  else digits();
  if (line[at] === 0x2e) {
    at++;
    digits();
  }
  if (line[at] === 0x65 || line[at] === 0x45) {
    at++;
    if (line[at] === 0x2b || line[at] === MINUS) at++;
    digits();
  }
  return at;
}

/** The text of a string token, quotes included in `[start, end)`, as UTF-8: no JavaScript string, however long. */
export function stringText(line: Uint8Array, start: number, end: number): Uint8Array {
  const inside = line.subarray(start + 1, end - 1);
  let at = inside.indexOf(BACKSLASH);
  if (at === -1) return inside;
  const out = Buffer.allocUnsafe(inside.length);
  out.set(inside.subarray(0, at));
  let used = at;
  while (at < inside.length) {
    const byte = inside[at++]!;
    if (byte !== BACKSLASH) {
      out[used++] = byte;
      continue;
    }
    const escaped = inside[at++]!;
    if (escaped !== 0x75) {
      out[used++] = PLAIN_ESCAPES.get(escaped) ?? escaped;
      continue;
    }
    let code = hexAt(inside, at);
    at += 4;
    if (isHighSurrogate(code)) {
      code = 0x10000 + ((code - 0xd800) << 10) + (hexAt(inside, at + 2) - 0xdc00);
      at += 6;
    }
    used += out.write(String.fromCodePoint(code), used);
  }
  return out.subarray(0, used);
}

const PLAIN_ESCAPES = new Map([
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);

/** Whether a string token has half a surrogate pair, which no UTF-8 can hold. */
export function hasLoneSurrogate(line: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (line[at] !== BACKSLASH) continue;
    if (line[++at] !== 0x75) continue;
    const code = hexAt(line, at + 1);
    at += 4;
    if (code < 0xd800 || code > 0xdfff) continue;
    if (!isHighSurrogate(code) || line[at + 1] !== BACKSLASH || line[at + 2] !== 0x75) return true;
    const low = hexAt(line, at + 3);
    if (low < 0xdc00 || low > 0xdfff) return true;
    at += 6;
  }
  return false;
}

const isHighSurrogate = (code: number) => code >= 0xd800 && code <= 0xdbff;

const hexAt = (bytes: Uint8Array, at: number): number =>
  Number.parseInt(String.fromCharCode(...bytes.subarray(at, at + 4)), 16);
