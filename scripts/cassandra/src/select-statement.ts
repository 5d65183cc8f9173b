import type { CassandraTable } from './discover';
import { quoteName } from './names';

/** The one statement that reads a table, a range at a time. Of the key it asks for the token, never the value. */
export function selectStatement(table: CassandraTable, columns: readonly { name: string }[]): string {
  const token = `token(${table.partitionKey.map(quoteName).join(', ')})`;
  const list = [token, ...columns.map(({ name }) => quoteName(name))].join(', ');
  const from = `${quoteName(table.keyspace)}.${quoteName(table.table)}`;
  return `SELECT ${list} FROM ${from} WHERE ${token} > ? AND ${token} <= ?`;
}
