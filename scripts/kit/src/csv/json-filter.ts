/** A JSON text that is not one; the value itself stays out of the message. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
}

/** True for a key that must not leave: `path` is the column and the keys down to it. Answers alike for like paths. */
export type IsSensitiveKey = (path: readonly string[]) => boolean;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** What ends a number or a word. */
const ENDS_WORD = new Uint8Array(256);
/** White space between tokens. */
const SPACE = new Uint8Array(256);
for (const byte of [0x20, 0x0a, 0x0d, 0x09]) ENDS_WORD[byte] = SPACE[byte] = 1;
for (const byte of [QUOTE, COMMA, COLON, OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY]) ENDS_WORD[byte] = 1;

/** Documents may use keys as data (ids): past this many, decisions are not remembered. */
const MAX_REMEMBERED = 4_096;
/** Longer keys are data. */
const MAX_KEY_BYTES = 128;

/** A key at its place below other keys, decided once. */
interface Key {
  /** As it stands in the text, between its quotes. */
  bytes: Uint8Array;
  name: string;
  sensitive: boolean;
  /** By the hash of their bytes, keys of one hash one behind the other; null where none is remembered. */
  children: Map<number, Key> | null;
  next: Key | undefined;
}

/**
 * Copies JSON texts of one column without the white space between their tokens and without the members whose key is
 * sensitive, at any depth. Tokens are copied byte by byte, so numbers keep every digit. In a path, arrays have no name.
 */
export class JsonFilter {
  /** What was written last holds a comma or a quote; where it does not, it holds no line end either. */
  hasSpecial = false;
  /** What was written last lacks members. */
  hasDropped = false;
  #remembered = 0;
  /** The keys that lead to the open objects, the column first, and their names. */
  readonly #keys: Key[];
  readonly #path: string[];
  /** Closing bytes of what is open: a stack of our own, because documents may be nested thousands of levels deep. */
  readonly #closing: number[] = [];

  constructor(
    readonly column: string,
    readonly isSensitiveKey: IsSensitiveKey,
  ) {
    this.#keys = [{ bytes: new Uint8Array(0), name: column, sensitive: false, children: new Map(), next: undefined }];
    this.#path = [column];
  }

  /**
   * Writes the filtered text of `source[start, end)`, UTF-8, into `out` at `at` and returns where it ends. It is never
   * longer than the source, or than twice the source where `double` asks for every `"` twice. Throws `JsonSyntaxError`
   * on a text whose structure is broken.
   */
  write(source: Uint8Array, start: number, end: number, out: Uint8Array, at: number, double: boolean): number {
    const closing = this.#closing;
    closing.length = 0;
    this.hasSpecial = false;
    this.hasDropped = false;
    let read = start;
    let written = at;
    let openObjects = 0;
    /** How much is open where the member being read turned out to be sensitive, -1 outside of one; where it began. */
    let dropDepth = -1;
    let dropAt = 0;
    /** Nothing stands yet in what was opened last, as far as it is kept. */
    let empty = true;
    let isKey = false;

    for (;;) {
      while (read < end && SPACE[source[read]!] === 1) read++;
      if (read >= end) this.#fail();
      let byte = source[read]!;
      if (isKey) {
        if (byte !== QUOTE) this.#fail();
        const memberAt = written;
        if (!empty) {
          out[written++] = COMMA;
          this.hasSpecial = true;
        }
        const from = read + 1;
        let hash = 0;
        out[written++] = QUOTE;
        if (double) out[written++] = QUOTE;
        for (read = from; ; read++) {
          if (read >= end) this.#fail();
          byte = source[read]!;
          if (byte === QUOTE) break;
          hash = hashed(hash, byte);
          out[written++] = byte;
          if (byte === BACKSLASH) {
            byte = source[++read]!;
            hash = hashed(hash, byte);
            if (double && byte === QUOTE) out[written++] = QUOTE;
            out[written++] = byte;
          }
        }
        if (dropDepth !== -1) {
          // Nothing in there is kept, so nobody is asked; but it must be a key.
          if (readKey(source, from, read) === null) this.#fail();
        } else if (this.#enter(openObjects, source, from, read, hash)) {
          dropDepth = closing.length;
          this.hasDropped = true;
          dropAt = memberAt;
        }
        read++;
        out[written++] = QUOTE;
        if (double) out[written++] = QUOTE;
        this.hasSpecial = true;
        while (read < end && SPACE[source[read]!] === 1) read++;
        if (read >= end || source[read] !== COLON) this.#fail();
        read++;
        out[written++] = COLON;
        isKey = false;
        continue;
      }
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        read++;
        out[written++] = byte;
        const close = byte + 2;
        closing.push(close);
        if (close === CLOSE_OBJECT) openObjects++;
        empty = true;
        while (read < end && SPACE[source[read]!] === 1) read++;
        if (source[read] !== close || read >= end) {
          isKey = close === CLOSE_OBJECT;
          continue;
        }
      } else if (byte === QUOTE) {
        this.hasSpecial = true;
        out[written++] = QUOTE;
        if (double) out[written++] = QUOTE;
        for (read++; ; read++) {
          if (read >= end) this.#fail();
          byte = source[read]!;
          if (byte === QUOTE) break;
          out[written++] = byte;
          if (byte === BACKSLASH) {
            byte = source[++read]!;
            if (double && byte === QUOTE) out[written++] = QUOTE;
            out[written++] = byte;
          }
        }
        read++;
        out[written++] = QUOTE;
        if (double) out[written++] = QUOTE;
      } else {
        const from = read;
        while (read < end && ENDS_WORD[source[read]!] === 0) out[written++] = source[read++]!;
        if (read === from) this.#fail();
      }

      // Behind a value: close what it ends, up to the comma before the next one.
      for (;;) {
        if (dropDepth === closing.length) {
          written = dropAt;
          dropDepth = -1;
          // What stands before a member is either its object's brace or another member.
          empty = out[written - 1] === OPEN_OBJECT;
        } else empty = false;
        while (read < end && SPACE[source[read]!] === 1) read++;
        if (closing.length === 0) {
          if (read !== end) this.#fail();
          return written;
        }
        if (read >= end) this.#fail();
        byte = source[read++]!;
        if (byte === COMMA) {
          isKey = closing[closing.length - 1] === CLOSE_OBJECT;
          if (!isKey) {
            out[written++] = COMMA;
            this.hasSpecial = true;
          }
          break;
        }
        if (byte !== closing[closing.length - 1]) this.#fail();
        out[written++] = byte;
        closing.pop();
        if (byte === CLOSE_OBJECT) openObjects--;
      }
    }
  }

  /** Whether the key `source[from, to)`, as it stands between its quotes, is sensitive below those entered before. */
  enter(depth: number, source: Uint8Array, from: number, to: number): boolean {
    let hash = 0;
    for (let i = from; i < to; i++) hash = hashed(hash, source[i]!);
    return this.#enter(depth, source, from, to, hash);
  }

  /** Puts the key on the path; true if it is sensitive. `depth`: objects that are open. */
  #enter(depth: number, source: Uint8Array, from: number, to: number, hash: number): boolean {
    const siblings = this.#keys[depth - 1]!.children;
    let key = siblings?.get(hash);
    while (key !== undefined && !isSame(key.bytes, source, from, to)) key = key.next;
    key ??= this.#decide(siblings, depth, source, from, to, hash);
    this.#keys[depth] = key;
    this.#path[depth] = key.name;
    return key.sensitive;
  }

  #decide(siblings: Key['children'], depth: number, source: Uint8Array, from: number, to: number, hash: number): Key {
    const name = readKey(source, from, to) ?? this.#fail();
    this.#path[depth] = name;
    this.#path.length = depth + 1;
    const sensitive = this.isSensitiveKey(this.#path);
    const key: Key = {
      bytes: Uint8Array.prototype.slice.call(source, from, to),
      name,
      sensitive,
      children: null,
      next: undefined,
    };
    if (siblings && this.#remembered < MAX_REMEMBERED && to - from <= MAX_KEY_BYTES) {
      this.#remembered++;
      key.children = new Map();
      key.next = siblings.get(hash);
      siblings.set(hash, key);
    }
    return key;
  }

  #fail(): never {
    throw new JsonSyntaxError(`Column ${JSON.stringify(this.column)} holds a text that is not JSON`);
  }
}

/** What decides is known by its columns, so that keys which were met before are not decided again. */
const filters = new WeakMap<IsSensitiveKey, Map<string, JsonFilter>>();

/** One JSON text, `bytes[start, end)`, filtered (see `JsonFilter`). */
export function filterJson(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: string,
  isSensitiveKey: IsSensitiveKey,
): Buffer {
  const known = filters.get(isSensitiveKey) ?? new Map<string, JsonFilter>();
  const filter = known.get(column) ?? new JsonFilter(column, isSensitiveKey);
  filters.set(isSensitiveKey, known.set(column, filter));
  const out = Buffer.allocUnsafe(end - start);
  return out.subarray(0, filter.write(bytes, start, end, out, 0, false));
}

const hashed = (hash: number, byte: number): number => (Math.imul(hash, 31) + byte) & 0x3fffffff;

function isSame(key: Uint8Array, source: Uint8Array, from: number, to: number): boolean {
  if (key.length !== to - from) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== source[from + i]) return false;
  return true;
}

/** A key's text: escapes are decoded, because "pass\u0077ord" is a password too. */
function readKey(source: Uint8Array, start: number, end: number): string | null {
  const text = Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('utf8');
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return null;
  }
}
