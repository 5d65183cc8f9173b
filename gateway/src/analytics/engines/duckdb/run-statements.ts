import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { ApiError } from '../../../errors';
import { type ResultLimits, rowBytes, tooLarge } from '../answer-budget';
import { type ResultSet, SqlProblem, type SqlValue, type Statement } from '../engine';
import type { TableText } from '../with-tables';
import { columnsOf } from './describe-statements';
import { duckDbError } from './duckdb-error';
import { interruptible } from './interruptible';
import { resultValue } from './result-values';
import { SharedTables } from './shared-tables';
import { prepareSelect } from './sql-statement';

/**
 * Runs the statements on one connection, one after the other; what they share is computed once. Throws the signal's reason when it is aborted, `SqlProblem`,
 * `ApiError` (`RESULT_TOO_LARGE`), or DuckDB's own error.
 */
export async function runStatements(
  instance: DuckDBInstance,
  tables: readonly TableText[],
  statements: readonly Statement[],
  limits: ResultLimits,
  signal: AbortSignal,
): Promise<ResultSet[]> {
  const connection = await instance.connect();
  const budget = { rows: limits.maxRows, bytes: limits.maxBytes };
  const shared = new SharedTables(connection, tables);
  try {
    return await interruptible(connection, signal, async () => {
      const results: ResultSet[] = [];
      for (const [index, statement] of statements.entries()) {
        signal.throwIfAborted();
        results.push(await runOne(connection, index, shared, statement, budget, limits));
      }
      return results;
    });
  } catch (error) {
    if (duckDbError(error).type !== 'Out of Memory') throw error;
    throw new ApiError('RESULT_TOO_LARGE', 'The query needs more memory than the engine may use', {
      hint: 'Ask for less, e.g. a shorter range of time; or raise DUCKDB_MEMORY_MB.',
      cause: error,
    });
  } finally {
    connection.closeSync();
  }
}

/**
 * The rows go into a temporary table first: a materialized result of DuckDB's knows no memory limit, and a streamed one
 * ends early and silently where an error comes up half-way.
 */
async function runOne(
  connection: DuckDBConnection,
  index: number,
  shared: SharedTables,
  statement: Statement,
  budget: { rows: number; bytes: number },
  limits: ResultLimits,
): Promise<ResultSet> {
  const text = await shared.textOf(statement, index);
  // One row more than allowed tells that there are more. LIMIT keeps the order of what it cuts.
  const wrapping = { before: 'CREATE TEMP TABLE answer AS SELECT * FROM ', after: ` LIMIT ${budget.rows + 1}` };
  const prepared = await prepareSelect(connection, index, text, statement.parameters, wrapping);
  try {
    const [[count]] = (await (await prepared.run()).getRows()) as [[bigint]];
    if (count > budget.rows) throw tooLarge(`${limits.maxRows} rows`);
    const result = await readAnswer(connection, index, budget, limits);
    if (result.rows.length !== Number(count))
      throw new Error(`DuckDB gave ${result.rows.length} of ${count} rows of an answer`);
    budget.rows -= result.rows.length;
    return result;
  } finally {
    prepared.destroySync();
    await connection.run('DROP TABLE IF EXISTS answer');
  }
}

async function readAnswer(
  connection: DuckDBConnection,
  index: number,
  budget: { bytes: number },
  limits: ResultLimits,
): Promise<ResultSet> {
  const stream = await connection.stream('FROM answer');
  const columns = columnsOf(index, stream);
  const types = stream.columnTypes();
  const rows: SqlValue[][] = [];
  for (let chunk = await stream.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await stream.fetchChunk()) {
    for (const values of chunk.getRows()) {
      const row = values.map((value, position) => resultValue(types[position]!, value));
      budget.bytes -= rowBytes(columns, row);
      if (budget.bytes < 0) throw tooLarge(`${Math.floor(limits.maxBytes / 1024 / 1024)} MiB`);
      rows.push(row);
    }
  }
  return { columns, rows };
}

/** An error of a query's as the gateway tells it: a pack was checked at start, so what is left is ours to look into. */
export function queryError(error: unknown): unknown {
  if (error instanceof SqlProblem) {
    const cause = new Error(`statement ${error.statement + 1}: ${error.message}`);
    return new ApiError('INTERNAL', 'The query engine refused a statement of this route', { cause });
  }
  return error;
}
