const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX = Buffer.from('0123456789abcdef');
/** The letter behind the backslash, for control characters that have one. */
const ESCAPES = new Map([
  [0x08, 0x62],
  [0x09, 0x74],
  [0x0a, 0x6e],
  [0x0c, 0x66],
  [0x0d, 0x72],
]);

/** So much is kept between two values: one huge value must not stay for the rest of the table. */
const MAX_KEPT = 1024 * 1024;

/** A growing buffer that JSON is written into. */
export class JsonBytes {
  #out = Buffer.allocUnsafeSlow(4096);
  #used = 0;

  /** All that was written, valid until the next call; what comes then starts over. */
  take(): Buffer {
    const written = this.#out.subarray(0, this.#used);
    if (this.#out.length > MAX_KEPT) this.#out = Buffer.allocUnsafeSlow(4096);
    this.#used = 0;
    return written;
  }

  /** Punctuation, numbers and whatever else is plain ASCII. */
  ascii(text: string): void {
    this.#reserve(text.length);
    const out = this.#out;
    let used = this.#used;
    if (text.length > 64) used += out.write(text, used, 'latin1');
    else for (let i = 0; i < text.length; i++) out[used++] = text.charCodeAt(i);
    this.#used = used;
  }

  /** UTF-8 bytes as a JSON string. */
  text(bytes: Buffer, start: number, end: number): void {
    // Growing step by step would need the memory of a huge text several times.
    this.#reserve(end - start > MAX_KEPT ? escapedLength(bytes, start, end) : end - start + 2);
    let out = this.#out;
    let used = this.#used;
    out[used++] = QUOTE;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
        out[used++] = byte;
        continue;
      }
      // Room for the escape, and for all that still follows.
      this.#used = used;
      this.#reserve(end - i + 7);
      out = this.#out;
      out[used++] = BACKSLASH;
      const letter = byte >= 0x20 ? byte : ESCAPES.get(byte);
      if (letter !== undefined) out[used++] = letter;
      else {
        out[used++] = 0x75;
        out[used++] = 0x30;
        out[used++] = 0x30;
        out[used++] = HEX[byte >> 4]!;
        out[used++] = HEX[byte & 15]!;
      }
    }
    out[used++] = QUOTE;
    this.#used = used;
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#out.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.ceil(this.#out.length * 1.5)));
    this.#out.copy(grown, 0, 0, this.#used);
    this.#out = grown;
  }
}

/** Bytes of a text as a JSON string, quotes included, and room for the next reservation of an escape. */
function escapedLength(bytes: Buffer, start: number, end: number): number {
  let length = end - start + 9;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE || byte === BACKSLASH) length++;
    else if (byte < 0x20) length += ESCAPES.has(byte) ? 1 : 5;
  }
  return length;
}
