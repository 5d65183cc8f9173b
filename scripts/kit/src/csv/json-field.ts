import type { CsvWriter } from './csv-writer';

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

/** What is not yet known to need quotes in CSV. Hardly any JSON this long is without a comma or a quote. */
const BUFFER_BYTES = 64 * 1024;
/** So much of a text is escaped at once: each byte may become six. */
const SLICE = 8 * 1024;

/** JSON, compact, written bit by bit into a field of a CSV: a huge value is never there as a whole. */
export class JsonField {
  readonly #out = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #used = 0;
  /** The field has begun, in quotes. */
  #hasBegun = false;

  constructor(readonly writer: CsvWriter) {}

  /** The value is complete. What comes then is the next field. */
  end(): void {
    const { writer } = this;
    if (this.#hasBegun) {
      writer.quotedPart(this.#out, 0, this.#used);
      writer.endQuoted();
    } else writer.text(this.#out, 0, this.#used);
    this.#used = 0;
    this.#hasBegun = false;
  }

  /** Punctuation, numbers and whatever else is plain ASCII. */
  ascii(text: string): void {
    if (text.length > BUFFER_BYTES) {
      for (let from = 0; from < text.length; from += SLICE) this.ascii(text.slice(from, from + SLICE));
      return;
    }
    this.#reserve(text.length);
    const out = this.#out;
    let used = this.#used;
    if (text.length > 64) used += out.write(text, used, 'latin1');
    else for (let i = 0; i < text.length; i++) out[used++] = text.charCodeAt(i);
    this.#used = used;
  }

  /** UTF-8 bytes as a JSON string. */
  text(bytes: Buffer, start: number, end: number): void {
    this.#reserve(1);
    this.#out[this.#used++] = QUOTE;
    for (let from = start; from < end; from += SLICE) this.#escaped(bytes, from, Math.min(end, from + SLICE));
    this.#reserve(1);
    this.#out[this.#used++] = QUOTE;
  }

  /** The same, from a short one. */
  string(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.text(bytes, 0, bytes.length);
  }

  #escaped(bytes: Buffer, start: number, end: number): void {
    this.#reserve(6 * (end - start));
    const out = this.#out;
    let used = this.#used;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
        out[used++] = byte;
        continue;
      }
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
    this.#used = used;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= BUFFER_BYTES) return;
    this.writer.quotedPart(this.#out, 0, this.#used);
    this.#hasBegun = true;
    this.#used = 0;
  }
}
