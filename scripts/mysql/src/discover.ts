import type { Column, SourceTable } from '@ingesta/kit';
import type { Connection } from 'mysql2';
import { logicalTypeOf } from './column-types';
import { query } from './connect';
import { checkClauses, holdsJson } from './json-columns';

/** A table with what only MySQL knows of it. */
export interface MysqlTable extends SourceTable {
  /** True where the engine takes part in the consistent snapshot. */
  inSnapshot: boolean;
  /** Columns that exist and that the user may not select. */
  hiddenColumns: string[];
  /** Columns whose texts may be JSON. */
  maybeJson: string[];
}

interface TableRow {
  name: string;
  engine: string | null;
  estimated: number | string | null;
}

interface ColumnRow {
  table_name: string;
  name: string;
  data_type: string;
  column_type: string;
  nullable: string;
  privileges: string;
}

// MariaDB lists tables with history under a type of their own. Views and sequences hold no rows.
const TABLES = `SELECT TABLE_NAME AS name, ENGINE AS engine, TABLE_ROWS AS estimated FROM information_schema.TABLES
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')`;
const COLUMNS = `SELECT TABLE_NAME AS table_name, COLUMN_NAME AS name, DATA_TYPE AS data_type,
  COLUMN_TYPE AS column_type, IS_NULLABLE AS nullable, PRIVILEGES AS privileges FROM information_schema.COLUMNS
  WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION`;

/** The base tables of the connection's database that the user may select from, by name. */
export async function discover(connection: Connection): Promise<MysqlTable[]> {
  const tables = await query<TableRow>(connection, TABLES);
  const columns = new Map<string, ColumnRow[]>();
  for (const column of await query<ColumnRow>(connection, COLUMNS)) {
    const known = columns.get(column.table_name);
    if (known) known.push(column);
    else columns.set(column.table_name, [column]);
  }
  const clauses = await checkClauses(
    connection,
    tables.map(({ name }) => name),
  );
  return tables
    .map(({ name, engine, estimated }) => {
      const all = columns.get(name) ?? [];
      const readable = all.filter(isReadable);
      const isJson = (column: ColumnRow) => holdsJson(column.name, clauses.get(name)!);
      return {
        name,
        columns: readable.map((column) => describeColumn(column, isJson(column) === 'yes')),
        estimatedRows: estimated === null ? null : Number(estimated),
        inSnapshot: engine === 'InnoDB',
        hiddenColumns: all.filter((column) => !isReadable(column)).map((column) => column.name),
        maybeJson: readable.filter((column) => isJson(column) === 'maybe').map((column) => column.name),
      };
    })
    .filter((table) => table.columns.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Any privilege lists a column; only this one lets it be read. */
const isReadable = (column: ColumnRow): boolean => column.privileges.split(',').includes('select');

function describeColumn(column: ColumnRow, isJson: boolean): Column {
  return {
    name: column.name,
    // MariaDB keeps JSON as longtext with a check; `json` is its name for exactly that.
    source_type: isJson ? 'json' : column.column_type,
    logical_type: isJson ? 'json' : logicalTypeOf(column.data_type),
    nullable: column.nullable === 'YES',
  };
}
