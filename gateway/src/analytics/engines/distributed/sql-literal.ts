import type { SqlValue } from '../engine';
import { quoteText } from '../with-tables';

/**
 * A value as a literal of Trino's and Athena's SQL, typed as DuckDB binds it. Text has one special character there, the
 * quote, which is doubled; a backslash is itself. Throws `Error` for numbers that have no literal.
 */
export function sqlLiteral(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quoteText(value);
  if (!Number.isFinite(value)) throw new Error(`${value} is no number that can be bound`);
  return `${Number.isSafeInteger(value) ? 'BIGINT' : 'DOUBLE'} '${value}'`;
}

/** Text, names and comments are passed over; what is left are the placeholders. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g;

/** The statement with each placeholder replaced by the literal of its value. Throws `Error` if their numbers differ. */
export function withLiterals(sql: string, parameters: readonly SqlValue[]): string {
  let taken = 0;
  const text = sql.replace(TOKEN, (token) => {
    if (token !== '?') return token;
    taken += 1;
    return taken > parameters.length ? token : sqlLiteral(parameters[taken - 1]!);
  });
  if (taken !== parameters.length) throw new Error(`it has ${taken} parameters, and ${parameters.length} were given`);
  return text;
}
