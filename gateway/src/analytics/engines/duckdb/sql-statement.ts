import { type DuckDBConnection, type DuckDBPreparedStatement, StatementType } from '@duckdb/node-api';
import { SqlProblem, type SqlValue } from '../engine';
import type { TextWithTables } from '../with-tables';
import { characterOffset, duckDbError } from './duckdb-error';

/** Text around a statement which makes a subquery of it; it then has to be one SELECT by syntax too. */
interface Wrapping {
  before: string;
  after: string;
}

/**
 * Prepares one SELECT inside of `wrapping`, its parameters bound. Throws `SqlProblem` for anything that is no single
 * SELECT, and for what DuckDB does not take.
 */
export async function prepareSelect(
  connection: DuckDBConnection,
  index: number,
  text: TextWithTables,
  parameters: readonly SqlValue[],
  wrapping: Wrapping,
): Promise<DuckDBPreparedStatement> {
  const problem = (message: string, offset: number | null = null) => new SqlProblem(index, message, offset);
  // The line break ends a comment at the statement's end.
  const whole = `${wrapping.before}(${text.sql.replace(/\s*;\s*$/, '')}\n)${wrapping.after}`;
  // How far DuckDB's positions are off the statement's own.
  let shift = 0;
  try {
    const found = await connection.extractStatements(text.sql);
    if (found.count !== 1) throw problem(`there are ${found.count} statements where one is expected`);
    const alone = await found.prepare(0);
    const { statementType } = alone;
    const names = Array.from({ length: alone.columnCount }, (_, position) => alone.columnName(position));
    alone.destroySync();
    if (statementType !== StatementType.SELECT) throw problem('only SELECT is allowed');
    // As a subquery it would get new names silently.
    const twice = names.find((name, position) => names.indexOf(name) !== position);
    if (twice !== undefined) throw problem(`two columns are called ${twice}`);
    shift = wrapping.before.length + 1;
    const prepared = await connection.prepare(whole);
    if (prepared.parameterCount !== parameters.length)
      throw problem(`it has ${prepared.parameterCount} parameters, and ${parameters.length} were given`);
    parameters.forEach((value, position) => {
      bind(prepared, position + 1, value);
    });
    return prepared;
  } catch (error) {
    if (error instanceof SqlProblem) throw error;
    throw problemOf(error, index, text, shift);
  }
}

function problemOf(error: unknown, index: number, text: TextWithTables, shift: number): SqlProblem {
  const { type, message, position } = duckDbError(error);
  // What comes before the statement is ASCII: bytes and characters are the same there.
  const at = position === null ? null : characterOffset(text.sql, position - shift);
  const offset = at === null ? null : text.offsetOf(at);
  return new SqlProblem(index, type ? `${type} error: ${message}` : message, offset, { cause: error });
}

function bind(prepared: DuckDBPreparedStatement, position: number, value: SqlValue): void {
  if (value === null) prepared.bindNull(position);
  else if (typeof value === 'boolean') prepared.bindBoolean(position, value);
  else if (typeof value === 'string') prepared.bindVarchar(position, value);
  else if (Number.isSafeInteger(value)) prepared.bindBigInt(position, BigInt(value));
  else prepared.bindDouble(position, value);
}
