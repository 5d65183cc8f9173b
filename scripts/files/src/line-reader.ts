import { ByteStore } from './byte-store';
import { MAX_FIELD_BYTES, tooLong } from './file-problem';

const LF = 0x0a;

/** Cuts UTF-8 bytes into lines and hands each on, without its LF. The bytes are valid until the call returns. */
export class LineReader {
  readonly #kept = new ByteStore();
  #line = 1;

  constructor(
    readonly onLine: (line: Uint8Array, number: number) => void,
    readonly maxBytes = MAX_FIELD_BYTES,
  ) {}

  push(chunk: Uint8Array): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(LF, from);
      if (end === -1) break;
      this.#emit(chunk, from, end);
      from = end + 1;
    }
    this.#keep(chunk, from, chunk.length);
  }

  end(): void {
    if (this.#kept.length > 0) this.#emit(this.#kept.bytes, 0, 0);
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    if (!this.#kept.add(chunk, start, end, this.maxBytes)) throw tooLong(this.#line, 'the line');
  }

  #emit(chunk: Uint8Array, start: number, end: number): void {
    const kept = this.#kept;
    if (kept.length === 0) this.onLine(chunk.subarray(start, end), this.#line++);
    else {
      this.#keep(chunk, start, end);
      this.onLine(kept.bytes.subarray(0, kept.length), this.#line++);
      kept.clear();
    }
  }
}
