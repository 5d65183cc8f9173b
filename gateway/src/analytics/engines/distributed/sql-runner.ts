import type { AnswerBudget } from '../answer-budget';
import type { Engine, ResultSet, SqlValue } from '../engine';

/**
 * A server that runs statements for us over the tables of a catalog. Safe to call concurrently. When `signal` is aborted
 * the call throws its reason, and the query is killed at the server beside; otherwise it throws `SqlFailure` for
 * what the server says of the statement, and `ApiError` where it cannot be reached, refuses us, or the budget is spent.
 */
export interface SqlRunner {
  readonly name: Engine['name'];
  /** Its type for a declared `timestamp`: the one that keeps microseconds, where it has one. */
  readonly timestampType: string;
  /** Runs one statement. Each `?` outside of literals and comments takes the next parameter. */
  run(sql: string, parameters: readonly SqlValue[], budget: AnswerBudget, signal: AbortSignal): Promise<ResultSet>;
}
