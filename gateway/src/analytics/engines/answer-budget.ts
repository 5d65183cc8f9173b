import { ApiError } from '../../errors';
import type { ResultColumn, SqlValue } from './engine';

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
  take(columns: readonly ResultColumn[], row: readonly SqlValue[]): void {
    this.#rows -= 1;
    this.#bytes -= rowBytes(columns, row);
    if (this.#rows < 0) throw tooLarge(`${this.limits.maxRows} rows`);
    if (this.#bytes < 0) throw tooLarge(`${Math.floor(this.limits.maxBytes / 1024 / 1024)} MiB`);
  }
}

/** What a short value takes in memory, whatever little it is as JSON. */
const LEAST_BYTES = 8;

/** What a row takes as JSON in a list, where the names of the columns stand in each. */
export function rowBytes(columns: readonly ResultColumn[], row: readonly SqlValue[]): number {
  let bytes = 3;
  for (const [index, value] of row.entries()) {
    const own = typeof value === 'string' ? Buffer.byteLength(JSON.stringify(value)) : String(value).length;
    bytes += columns[index]!.name.length + 4 + Math.max(LEAST_BYTES, own);
  }
  return bytes;
}

/** `limit`: how much is allowed, in words. */
export const tooLarge = (limit: string): ApiError =>
  new ApiError('RESULT_TOO_LARGE', `The answer has more than ${limit}`);
