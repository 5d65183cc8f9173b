/** A JSON text that is not one; the value itself stays out of the message. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * Copies a JSON text without the white space between its tokens and without the members whose key is sensitive, at any
 * depth. Tokens are copied byte by byte, so numbers keep every digit. `bytes[start, end)` is UTF-8. A path is the column
 * and the keys down to the member; arrays have no name in it. Throws `JsonSyntaxError` on a text whose structure is
 * broken.
 */
export function filterJson(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: string,
  isSensitiveKey: (path: readonly string[]) => boolean,
): Buffer {
  // What lies behind the text is other fields' data: a broken text must not run on into it.
  const source = bytes.subarray(start, end);
  const length = source.length;
  // Never longer than the source: white space and members only go away.
  const out = Buffer.allocUnsafe(length);
  const path = [column];
  let read = 0;
  let written = 0;

  const fail = (): never => {
    throw new JsonSyntaxError(`Column ${JSON.stringify(column)} holds a text that is not JSON`);
  };
  const skipSpace = () => {
    while (isSpace(source[read])) read++;
  };
  const expect = (byte: number) => {
    skipSpace();
    if (source[read] !== byte) fail();
    read++;
  };
  const copyFrom = (from: number) => {
    out.set(source.subarray(from, read), written);
    written += read - from;
  };
  const passString = () => {
    expect(QUOTE);
    for (;;) {
      if (read >= length) fail();
      const byte = source[read++];
      if (byte === QUOTE) return;
      if (byte === BACKSLASH) read++;
    }
  };
  const scalar = () => {
    const from = read;
    if (source[read] === QUOTE) passString();
    else while (read < length && !isSpace(source[read]) && !isDelimiter(source[read])) read++;
    if (read === from) fail();
    copyFrom(from);
  };

  // Explicit stack: a document nested thousands of levels deep must not overflow ours.
  type Frame = { close: number; empty: boolean };
  const frames: Frame[] = [];
  let openObjects = 0;
  /** Output length to fall back to when the member being read turns out to be sensitive; -1 outside of one. */
  let dropDepth = -1;
  let dropAt = 0;

  const afterValue = () => {
    if (dropDepth === frames.length) {
      written = dropAt;
      dropDepth = -1;
    }
  };
  const member = (frame: Frame): void => {
    skipSpace();
    const memberAt = written;
    if (!frame.empty) out[written++] = COMMA;
    const from = read;
    passString();
    const key = readKey(source, from, read) ?? fail();
    copyFrom(from);
    expect(COLON);
    out[written++] = COLON;
    path[openObjects] = key;
    path.length = openObjects + 1;
    if (dropDepth === -1 && isSensitiveKey(path)) {
      dropDepth = frames.length;
      dropAt = memberAt;
    } else {
      frame.empty = false;
    }
  };

  let wantValue = true;
  do {
    skipSpace();
    const frame = frames[frames.length - 1];
    const byte = source[read];
    if (wantValue) {
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        read++;
        out[written++] = byte;
        const opened = { close: byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY, empty: true };
        frames.push(opened);
        if (opened.close === CLOSE_OBJECT) openObjects++;
        skipSpace();
        if (source[read] === opened.close) wantValue = false;
        else if (opened.close === CLOSE_OBJECT) member(opened);
        else opened.empty = false;
        continue;
      }
      scalar();
      afterValue();
      wantValue = false;
      continue;
    }
    if (frame === undefined) fail();
    else if (byte === frame.close) {
      read++;
      out[written++] = byte;
      frames.pop();
      if (byte === CLOSE_OBJECT) openObjects--;
      afterValue();
    } else if (byte === COMMA) {
      read++;
      if (frame.close === CLOSE_OBJECT) member(frame);
      else out[written++] = COMMA;
      wantValue = true;
    } else fail();
  } while (wantValue || frames.length > 0);
  skipSpace();
  if (read !== length) fail();
  return out.subarray(0, written);
}

const isDelimiter = (byte: number | undefined) =>
  byte === QUOTE ||
  byte === COMMA ||
  byte === CLOSE_OBJECT ||
  byte === CLOSE_ARRAY ||
  byte === COLON ||
  byte === OPEN_OBJECT ||
  byte === OPEN_ARRAY;

/** A key's text: escapes are decoded, because "pass\u0077ord" is a password too. */
function readKey(source: Uint8Array, start: number, end: number): string | null {
  const text = Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
