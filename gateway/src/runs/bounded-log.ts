/** What is kept of a run's log: its beginning and its end, which tell most. Bytes. */
const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 192 * 1024;
const LINE_CHARS = 4_000;

/** One line of a run's log. */
export interface LogLine {
  at: string;
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
}

/** The lines of one run, as NDJSON of bounded size: the first ones, how many were left out, and the last ones. */
export class BoundedLog {
  readonly #head: string[] = [];
  readonly #tail: string[] = [];
  #headBytes = 0;
  #tailBytes = 0;
  #leftOut = 0;

  add({ at, level, message }: LogLine): void {
    const line = JSON.stringify({ at, level, message: message.slice(0, LINE_CHARS) });
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#tail.length === 0 && this.#headBytes + bytes <= HEAD_BYTES) {
      this.#head.push(line);
      this.#headBytes += bytes;
      return;
    }
    this.#tail.push(line);
    this.#tailBytes += bytes;
    while (this.#tailBytes > TAIL_BYTES) {
      this.#tailBytes -= Buffer.byteLength(this.#tail.shift()!) + 1;
      this.#leftOut += 1;
    }
  }

  toBuffer(): Buffer {
    const gap = this.#leftOut > 0 ? [JSON.stringify({ left_out: this.#leftOut })] : [];
    return Buffer.from([...this.#head, ...gap, ...this.#tail, ''].join('\n'));
  }
}
