import { MAX_RESULT_BYTES, type ScriptEvent, scriptEventSchema } from '@ingesta/kit';

const MAX_LINE_BYTES = 64 * 1024;
const TAIL_LINES = 20;
const LF = 0x0a;

/**
 * Takes a script's two streams in bounded memory: stdout whole up to the limit, stderr line by line as events. A line that
 * is none, as scripts of others write them, becomes one.
 * `onOverflow` is called once when stdout passes the limit: the script is then beyond saving.
 */
export class ScriptStreams {
  readonly #stdout = new Bytes(MAX_RESULT_BYTES);
  #overflowed = false;
  readonly #line = new Bytes(MAX_LINE_BYTES);
  readonly #tail: string[] = [];

  constructor(
    private readonly onEvent: (event: ScriptEvent) => void,
    private readonly onOverflow: () => void,
  ) {}

  stdout(chunk: Buffer): void {
    if (this.#stdout.append(chunk) || this.#overflowed) return;
    this.#overflowed = true;
    this.onOverflow();
  }

  stderr(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      this.#line.append(chunk.subarray(start, end));
      this.#endLine();
      start = end + 1;
    }
    this.#line.append(chunk.subarray(start));
  }

  /** To be called when both streams have ended. */
  end(): { stdout: Buffer; overflowed: boolean; stderrTail: string } {
    this.#endLine();
    return { stdout: this.#stdout.read(), overflowed: this.#overflowed, stderrTail: this.#tail.join('\n') };
  }

  #endLine(): void {
    const text = this.#line.read().toString('utf8');
    this.#line.clear();
    const event = parseEvent(text);
    if (event) this.onEvent(event);
    else if (text.trim() !== '') {
      this.#tail.push(text.slice(0, 2000));
      if (this.#tail.length > TAIL_LINES) this.#tail.shift();
      // Whole: a secret that is cut in two would not be known again.
      this.onEvent({ event: 'log', at: new Date().toISOString(), level: 'info', message: text.trimEnd() });
    }
  }
}

/** Bytes up to a limit, in one block that grows: a list of a million tiny chunks would weigh a hundred times as much. */
class Bytes {
  #block = Buffer.alloc(1024);
  #used = 0;

  constructor(private readonly limit: number) {}

  /** Takes what there is room for; false if that was not all of it. */
  append(chunk: Buffer): boolean {
    const piece = chunk.subarray(0, this.limit - this.#used);
    if (this.#used + piece.length > this.#block.length) {
      const grown = Buffer.alloc(Math.min(this.limit, 2 * (this.#used + piece.length)));
      this.#block.copy(grown, 0, 0, this.#used);
      this.#block = grown;
    }
    piece.copy(this.#block, this.#used);
    this.#used += piece.length;
    return piece.length === chunk.length;
  }

  /** What was taken so far; valid until the next `append`. */
  read(): Buffer {
    return this.#block.subarray(0, this.#used);
  }

  clear(): void {
    this.#used = 0;
  }
}

function parseEvent(line: string): ScriptEvent | null {
  if (!line.startsWith('{')) return null;
  try {
    return scriptEventSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
