import type { ListedTable } from '@ingesta/kit';
import type { Connection } from 'mysql2';
import { query } from './connect';
import { quoteName } from './select';

/** A table as it was listed, and where it lies. */
export interface Located extends ListedTable {
  schema: string;
  relation: string;
  isView: boolean;
}

interface TableRow {
  table_schema: string;
  name: string;
  type: string;
}

/** Schemas of the server's own. */
export const SYSTEM_SCHEMAS = `('information_schema', 'mysql', 'performance_schema', 'sys', 'ndbinfo')`;

// MariaDB lists tables with history under a type of their own. Sequences hold no rows.
const TABLES = `SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS name, TABLE_TYPE AS type FROM information_schema.TABLES
  WHERE TABLE_SCHEMA NOT IN ${SYSTEM_SCHEMAS} AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')`;
// Any privilege lists a table; only this one lets it be read.
const READABLE = `SELECT DISTINCT TABLE_NAME AS name FROM information_schema.COLUMNS
  WHERE TABLE_SCHEMA = ? AND FIND_IN_SET('select', PRIVILEGES) > 0`;

/**
 * What the user may read, by name: `users` in `database`, `ventas.users` in others. Other databases and views are on
 * demand; of other databases also what the user turns out not to be allowed to read.
 */
export async function listTables(connection: Connection, database: string): Promise<Located[]> {
  const tables = await query<TableRow>(connection, TABLES);
  const readable = new Set((await query<{ name: string }>(connection, READABLE, [database])).map(({ name }) => name));
  const own = tables.filter((table) => table.table_schema === database && readable.has(table.name));
  const names = new Set(own.map(({ name }) => name));
  const others = tables.filter((table) => table.table_schema !== database);
  return [
    ...own.map((table) => locate(table, table.name, table.type === 'VIEW')),
    ...others.map((table) => {
      const plain = `${table.table_schema}.${table.name}`;
      // A table here may have a dot in its name.
      const isTaken = names.has(plain);
      return locate(table, isTaken ? `${quoteName(table.table_schema)}.${quoteName(table.name)}` : plain, true);
    }),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const locate = (table: TableRow, name: string, onDemand: boolean): Located => ({
  name,
  onDemand,
  schema: table.table_schema,
  relation: table.name,
  isView: table.type === 'VIEW',
});
