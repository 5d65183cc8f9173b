import { isAscii, isUtf8 } from 'node:buffer';
import { FileProblem } from './file-problem';
import type { Encoding } from './settings';

/** Turns bytes of one encoding into UTF-8. What it returns may be the input itself. */
interface Decoder {
  push(chunk: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

/** What auto made of a file that is not UTF-8. */
export type OnFallback = () => void;

const NOTHING = new Uint8Array(0);

/** The text of `body` as UTF-8, without a byte order mark. `onFallback` hears when auto takes it for windows-1252. */
export async function* decode(
  body: AsyncIterable<Uint8Array>,
  encoding: Encoding,
  onFallback: OnFallback = () => {},
): AsyncGenerator<Uint8Array, void, undefined> {
  // Enough for every byte order mark.
  let head: Uint8Array = NOTHING;
  let decoder: Decoder | null = null;
  const start = (): Uint8Array => {
    const { marked, rest } = readMark(head);
    if (marked && encoding !== 'auto' && encoding !== marked) {
      const hint = `Set FILES_ENCODING to auto or ${marked}.`;
      throw new FileProblem(`its byte order mark says ${marked}, FILES_ENCODING says ${encoding}`, hint);
    }
    decoder = decoderOf(encoding === 'auto' ? (marked ?? 'auto') : encoding, onFallback);
    return rest;
  };
  for await (let chunk of body) {
    if (decoder === null) {
      head = Buffer.concat([head, chunk]);
      if (head.length < 3) continue;
      chunk = start();
    }
    const text = decoder!.push(chunk);
    if (text.length > 0) yield text;
  }
  if (decoder === null) {
    const rest = start();
    const text = decoder!.push(rest);
    if (text.length > 0) yield text;
  }
  const text = decoder!.end();
  if (text.length > 0) yield text;
}

function readMark(head: Uint8Array): { marked: Encoding | null; rest: Uint8Array } {
  const [a, b, c] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { marked: 'utf-8', rest: head.subarray(3) };
  if (a === 0xff && b === 0xfe) return { marked: 'utf-16le', rest: head.subarray(2) };
  if (a === 0xfe && b === 0xff) return { marked: 'utf-16be', rest: head.subarray(2) };
  return { marked: null, rest: head };
}

function decoderOf(encoding: Encoding, onFallback: OnFallback): Decoder {
  switch (encoding) {
    case 'utf-16le':
    case 'utf-16be':
      return new Utf16Decoder(encoding);
    case 'windows-1252':
    case 'latin1':
      return new SingleByteDecoder(encoding);
    default:
      return new Utf8Decoder(encoding === 'auto' ? onFallback : null);
  }
}

/**
 * Checks UTF-8. On the way to a fallback it needs no second pass over the file: as long as all was ASCII, UTF-8 and
 * windows-1252 read the same, and the first character beyond ASCII tells which of them it is.
 */
class Utf8Decoder implements Decoder {
  #tail: Uint8Array = NOTHING;
  #beyondAscii = false;
  #fallback: Decoder | null = null;

  /** `onFallback` null: UTF-8 or nothing. */
  constructor(readonly onFallback: OnFallback | null) {}

  push(chunk: Uint8Array): Uint8Array {
    if (this.#fallback) return this.#fallback.push(chunk);
    const bytes = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const end = bytes.length - unfinished(bytes);
    const whole = bytes.subarray(0, end);
    if (this.#beyondAscii || !isAscii(whole)) {
      if (!isUtf8(whole)) return this.#fallBack(bytes);
      this.#beyondAscii = true;
    }
    // A copy: the chunk is its producer's again once this returns.
    this.#tail = Buffer.from(bytes.subarray(end));
    return whole;
  }

  end(): Uint8Array {
    if (this.#fallback) return this.#fallback.end();
    return this.#tail.length === 0 ? NOTHING : this.#fallBack(this.#tail);
  }

  #fallBack(bytes: Uint8Array): Uint8Array {
    if (this.onFallback === null) throw notThis('UTF-8');
    if (this.#beyondAscii || startsAsUtf8(bytes)) {
      const hint = 'Have it delivered in one encoding, or set FILES_ENCODING to windows-1252 if that is what it is.';
      throw new FileProblem('it is UTF-8 in one place and something else in another', hint);
    }
    this.onFallback();
    this.#fallback = new SingleByteDecoder('windows-1252');
    return this.#fallback.push(bytes);
  }
}

/** Bytes at the end that may be the beginning of a character. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
  }
  return 0;
}

/** Whether the first character beyond ASCII is one of UTF-8. */
function startsAsUtf8(bytes: Uint8Array): boolean {
  const at = bytes.findIndex((byte) => byte >= 0x80);
  const first = bytes[at]!;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length));
}

/** Characters of windows-1252 from 0x80 to 0x9f; the five that it lacks are control characters, as browsers have it. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** Its own table, because `TextDecoder` of Node 20 takes windows-1252 for latin1. */
class SingleByteDecoder implements Decoder {
  readonly #characters: readonly Buffer[];

  constructor(encoding: 'windows-1252' | 'latin1') {
    this.#characters = Array.from({ length: 256 }, (_, byte) => {
      const special = encoding === 'windows-1252' && byte >= 0x80 && byte <= 0x9f;
      return Buffer.from(special ? WINDOWS_1252[byte - 0x80]! : String.fromCharCode(byte));
    });
  }

  push(chunk: Uint8Array): Uint8Array {
    if (isAscii(chunk)) return chunk;
    const out = Buffer.allocUnsafe(chunk.length * 3);
    let used = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (byte < 0x80) {
        out[used++] = byte;
        continue;
      }
      const character = this.#characters[byte]!;
      for (let n = 0; n < character.length; n++) out[used++] = character[n]!;
    }
    return out.subarray(0, used);
  }

  end(): Uint8Array {
    return NOTHING;
  }
}

class Utf16Decoder implements Decoder {
  readonly #text: InstanceType<typeof TextDecoder>;

  constructor(readonly encoding: 'utf-16le' | 'utf-16be') {
    this.#text = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  }

  push(chunk: Uint8Array): Uint8Array {
    return this.#decode(chunk, true);
  }

  end(): Uint8Array {
    return this.#decode(NOTHING, false);
  }

  #decode(chunk: Uint8Array, stream: boolean): Uint8Array {
    try {
      return Buffer.from(this.#text.decode(chunk, { stream }));
    } catch {
      throw notThis(this.encoding.toUpperCase());
    }
  }
}

const notThis = (name: string) =>
  new FileProblem(`it is not ${name}`, 'It may be damaged or cut off; else FILES_ENCODING names another encoding.');
