import { ApiError } from '../../errors';
import type { SqlValue } from './engine';

/** How large the answers of one query may be, all statements together. */
export interface ResultLimits {
  maxRows: number;
  maxBytes: number;
}

/** What is left of the limits while the rows of a query's statements come in. */
export class AnswerBudget {
  #rows: number;
  #bytes: number;

  constructor(private readonly limits: ResultLimits) {
    this.#rows = limits.maxRows;
    this.#bytes = limits.maxBytes;
  }

  /** Counts one row. Throws `RESULT_TOO_LARGE` for the first that is too many. */
  take(row: readonly SqlValue[]): void {
    this.#rows -= 1;
    this.#bytes -= rowBytes(row);
    if (this.#rows < 0) throw tooLarge(`${this.limits.maxRows} rows`);
    if (this.#bytes < 0) throw tooLarge(`${Math.floor(this.limits.maxBytes / 1024 / 1024)} MiB`);
  }
}

/** About what a row takes as JSON. */
export function rowBytes(row: readonly SqlValue[]): number {
  let bytes = 2;
  for (const value of row) bytes += 3 + (typeof value === 'string' ? Buffer.byteLength(value) : 8);
  return bytes;
}

/** `limit`: how much is allowed, in words. */
export const tooLarge = (limit: string): ApiError =>
  new ApiError('RESULT_TOO_LARGE', `The answer has more than ${limit}`);
