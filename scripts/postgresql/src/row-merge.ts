import type { CsvPiece } from '@ingesta/kit';

/** Bytes that wait to be taken; above it those who bring more wait. */
const MAX_WAITING = 384 * 1024;

/** Makes one CSV of the pieces of several writers: what one began within a row it goes on with, until that row ends. */
export class RowMerge {
  readonly #pieces: CsvPiece[] = [];
  #bytes = 0;
  /** Who left a row unfinished, or goes first. */
  #owner: object | null = null;
  #state: 'open' | 'ended' | { error: unknown } = 'open';
  #waiting: (() => void)[] = [];

  /** The writer that goes first: its piece has the header. */
  begin(from: object): void {
    this.#owner = from;
  }

  /** Adds a piece of the writer `from` once there is room and no other writer is within a row. Throws once it failed. */
  async put(from: object, piece: CsvPiece): Promise<void> {
    while (this.#bytes > MAX_WAITING || (this.#owner !== null && this.#owner !== from)) {
      this.#throwIfFailed();
      await this.#change();
    }
    this.#throwIfFailed();
    this.#owner = piece.endsRow ? null : from;
    this.#pieces.push(piece);
    this.#bytes += piece.data.length;
    this.#changed();
  }

  /** Nothing follows. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#changed();
  }

  /** Whoever waits gets this error. The first one counts. */
  fail(error: unknown): void {
    if (this.#state === 'open') this.#state = { error };
    this.#changed();
  }

  /** All pieces, in the order in which they make one CSV. */
  async *pieces(): AsyncGenerator<CsvPiece, void, void> {
    for (;;) {
      this.#throwIfFailed();
      const piece = this.#pieces.shift();
      if (piece) {
        this.#bytes -= piece.data.length;
        this.#changed();
        yield piece;
      } else if (this.#state === 'ended') return;
      else await this.#change();
    }
  }

  #throwIfFailed(): void {
    if (typeof this.#state === 'object') throw this.#state.error;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
