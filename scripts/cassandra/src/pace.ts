/** Bytes that a page should have about: enough to keep both sides busy, little enough for several of them in memory. */
const PAGE_BYTES = 1024 * 1024;
/** The first page of a table: nothing is known of its rows yet, and each may have megabytes. */
const FIRST_ROWS = 1;
/** Rows of so many bytes are fetched one after the other: several on their way would be several times their memory. */
const HEAVY_ROW_BYTES = 4 * PAGE_BYTES;
const MAX_GROWTH = 8;

/** Failures in a row, over all ranges, after which a table is given up. */
const MAX_FAILURES = 100;
/** The same for silences: requests that nobody answered, since the node, or the way to it, is gone. */
const MAX_SILENT = 3;

const MAX_PAUSE_MS = 2_000;

/** How many rows to ask for: learnt from the pages of one table, shared by its ranges. */
export class Pace {
  #rows: number;
  #failures = 0;
  #silent = 0;
  /** All silences so far. */
  #silences = 0;
  /** Of the heaviest page so far, per row; null before the first. */
  #rowBytes: number | null = null;

  constructor(readonly maxRows: number) {
    this.#rows = Math.min(FIRST_ROWS, maxRows);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Rows are heavy, or nobody knows yet: one page at a time. */
  get heavy(): boolean {
    return this.#rowBytes === null || this.#rowBytes > HEAVY_ROW_BYTES;
  }

  /** A page came. */
  arrived(rows: number, bytes: number): void {
    this.#failures = 0;
    this.#silent = 0;
    if (rows > 0) this.learn(rows, bytes);
  }

  /** So many rows, or fewer, have so many bytes, whether they were taken or not. */
  learn(rows: number, bytes: number): void {
    this.#rowBytes = Math.max(this.#rowBytes ?? 0, bytes / rows);
    const fitting = Math.floor(PAGE_BYTES / Math.max(1, bytes / rows));
    this.#rows = Math.max(1, Math.min(this.maxRows, this.#rows * MAX_GROWTH, fitting));
  }

  /** How many silences there were: what a request takes along for `unanswered` when it is sent. */
  get silences(): number {
    return this.#silences;
  }

  /** Nobody answered a request. Those that were under way together met one silence, not one each. */
  unanswered(silencesBefore: number): void {
    if (silencesBefore < this.#silences) return;
    this.#silences++;
    this.#silent++;
  }

  /** A read took too long. Gives the milliseconds to wait before the next one, or null when it is time to give up. */
  failed(): number | null {
    this.#failures++;
    if (this.#failures > MAX_FAILURES || this.#silent > MAX_SILENT) return null;
    return Math.min(MAX_PAUSE_MS, 2 ** Math.min(this.#failures, 11));
  }

  /** Asks for half as many rows. */
  halve(): void {
    this.#rows = Math.max(1, Math.floor(this.#rows / 2));
  }
}
