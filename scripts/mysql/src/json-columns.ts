import type { Connection } from 'mysql2';
import { query } from './connect';
import { quoteName } from './select';

const CHECKS = `SELECT TABLE_NAME AS table_name, CHECK_CLAUSE AS clause FROM information_schema.CHECK_CONSTRAINTS
  WHERE CONSTRAINT_SCHEMA = ?`;

/**
 * The check clauses of MariaDB's tables, null where the user may not see them. MariaDB keeps JSON as text with a check;
 * MySQL has a type of its own, and its list of checks names no tables.
 */
export async function checkClauses(
  connection: Connection,
  schema: string,
  tables: readonly string[],
): Promise<Map<string, string[] | null>> {
  const clauses = new Map<string, string[] | null>(tables.map((table) => [table, []]));
  const [server] = await query<{ version: string }>(connection, 'SELECT VERSION() AS version');
  if (!/mariadb/i.test(server!.version)) return clauses;
  if (await mayReadAll(connection, schema)) {
    const all = await query<{ table_name: string; clause: string }>(connection, CHECKS, [schema]);
    for (const { table_name, clause } of all) clauses.get(table_name)?.push(clause);
  } else {
    for (const table of tables)
      clauses.set(table, await clausesOf(connection, `${quoteName(schema)}.${quoteName(table)}`));
  }
  return clauses;
}

/** Whether a column's values are JSON; `maybe` where a check lets other text in too, and where checks are not to be seen. */
export function holdsJson(column: string, clauses: readonly string[] | null): 'yes' | 'maybe' | 'no' {
  if (clauses === null) return 'maybe';
  const name = quoteName(column).toLowerCase();
  const about = clauses
    .map((clause) => clause.toLowerCase())
    .filter((clause) => clause.includes('json_valid(') && clause.includes(name));
  if (about.some((clause) => clause.includes(`json_valid(${name})`) && !/ x?or /.test(clause))) return 'yes';
  return about.length > 0 ? 'maybe' : 'no';
}

/** information_schema lists a constraint only to those who have a right to the whole database. */
async function mayReadAll(connection: Connection, database: string): Promise<boolean> {
  const places = ['*', quoteName(database)];
  return (await query<Record<string, string>>(connection, 'SHOW GRANTS')).some((row) => {
    const place = /^GRANT (?:.*, )?(?:SELECT|ALL PRIVILEGES)\b.* ON (.+)\.\* TO /.exec(Object.values(row)[0]!)?.[1];
    // The name is a pattern: `_` may be escaped in it.
    return place !== undefined && places.includes(place.replace(/\\([_%])/g, '$1'));
  });
}

/** The checks in a table's definition; null when the server refuses to show it, as to a user with rights to columns only. */
async function clausesOf(connection: Connection, table: string): Promise<string[] | null> {
  try {
    const [row] = await query<Record<string, string>>(connection, `SHOW CREATE TABLE ${table}`);
    // One line for each column and each constraint; what is generated from `json_valid` is no check.
    return row!['Create Table']!.split('\n').flatMap((line) => / CHECK \((.*)/.exec(line)?.[1] ?? []);
  } catch (error) {
    if ((error as { sqlState?: string }).sqlState === undefined) throw error;
    return null;
  }
}
