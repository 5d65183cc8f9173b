import type { DuckDBInstance, DuckDBResult } from '@duckdb/node-api';
import { type DeclaredTable, parametersWithShared, type ResultColumn, SqlProblem, type Statement } from '../engine';
import { withTables } from '../with-tables';
import { duckDbError } from './duckdb-error';
import { resultColumn } from './result-values';
import { prepareSelect } from './sql-statement';

/** The columns that each statement answers with, found out on empty tables. Throws `SqlProblem`. */
export async function describeStatements(
  instance: DuckDBInstance,
  tables: readonly DeclaredTable[],
  statements: readonly Statement[],
): Promise<ResultColumn[][]> {
  const texts = tables.map(({ name, columns }) => ({
    name,
    columns: columns.map((column) => ({ ...column, from: 'nothing' })),
    from: '(SELECT NULL AS nothing WHERE false)',
  }));
  const connection = await instance.connect();
  try {
    const described: ResultColumn[][] = [];
    for (const [index, statement] of statements.entries()) {
      const text = withTables(statement.sql, texts, 'NOT MATERIALIZED', statement.shared);
      const wrapping = { before: 'SELECT * FROM ', after: ' LIMIT 0' };
      const prepared = await prepareSelect(connection, index, text, parametersWithShared(statement), wrapping);
      const result = await prepared.run().catch((error) => {
        throw new SqlProblem(index, duckDbError(error).message, null);
      });
      described.push(columnsOf(index, result));
    }
    return described;
  } finally {
    connection.closeSync();
  }
}

/** The columns of a result. Throws `SqlProblem` where JSON could not hold them. */
export function columnsOf(index: number, result: Pick<DuckDBResult, 'columnNames' | 'columnTypes'>): ResultColumn[] {
  const types = result.columnTypes();
  const names = result.columnNames();
  return names.map((name, position) => {
    try {
      return resultColumn(name, types[position]!);
    } catch (error) {
      throw new SqlProblem(index, (error as Error).message, null);
    }
  });
}
