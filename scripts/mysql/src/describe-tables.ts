import type { Column, SourceTable } from '@ingesta/kit';
import type { Connection } from 'mysql2';
import { logicalTypeOf } from './column-types';
import { query } from './connect';
import { checkClauses, holdsJson } from './json-columns';
import type { Lineages } from './lineage';
import { type Located, SYSTEM_SCHEMAS } from './list-tables';
import { quoteName } from './select';

/** A table, view or dataset with what only MySQL knows of it. */
export interface MysqlTable extends SourceTable {
  /** What stands behind FROM. */
  from: string;
  /** True where all that is read takes part in the consistent snapshot. */
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

/** Up to so many tables the server looks each one up; for more it goes through the whole schema once. */
const FEW = 20;

const TABLES = `SELECT TABLE_NAME AS name, ENGINE AS engine, TABLE_ROWS AS estimated FROM information_schema.TABLES
  WHERE TABLE_SCHEMA = ?`;
const COLUMNS = `SELECT TABLE_NAME AS table_name, COLUMN_NAME AS name, DATA_TYPE AS data_type,
  COLUMN_TYPE AS column_type, IS_NULLABLE AS nullable, PRIVILEGES AS privileges FROM information_schema.COLUMNS
  WHERE TABLE_SCHEMA = ?`;
const OUTSIDE_SNAPSHOT = `SELECT COUNT(*) AS tables FROM information_schema.TABLES
  WHERE TABLE_SCHEMA NOT IN ${SYSTEM_SCHEMAS} AND ENGINE <> 'InnoDB'`;

/** Columns, engines and estimates of what was listed; without those of which the user may read no column. */
export async function describeTables(
  connection: Connection,
  located: readonly Located[],
  lineages: Lineages,
): Promise<MysqlTable[]> {
  const schemas = [...new Set(located.map(({ schema }) => schema))];
  const described: MysqlTable[] = [];
  for (const schema of schemas) {
    described.push(
      ...(await describeSchema(
        connection,
        schema,
        located.filter((table) => table.schema === schema),
      )),
    );
  }
  const found = new Map(described.map((table) => [table.name, table]));
  for (const { name, schema, relation, isView } of located) {
    const table = found.get(name);
    if (isView && table) Object.assign(table, await lineages.ofView(schema, relation));
  }
  return located.flatMap(({ name }) => found.get(name) ?? []);
}

/** Whether every table that a view or a query could reach takes part in the snapshot. */
export async function allInSnapshot(connection: Connection): Promise<boolean> {
  const [row] = await query<{ tables: number | string }>(connection, OUTSIDE_SNAPSHOT);
  return Number(row!.tables) === 0;
}

async function describeSchema(connection: Connection, schema: string, located: Located[]): Promise<MysqlTable[]> {
  const names = located.map(({ relation }) => relation);
  const engines = new Map((await rowsOf<TableRow>(connection, TABLES, schema, names)).map((row) => [row.name, row]));
  const columns = new Map<string, ColumnRow[]>(names.map((name) => [name, []]));
  for (const row of await rowsOf<ColumnRow>(connection, COLUMNS, schema, names)) columns.get(row.table_name)?.push(row);
  const tables = located.filter(({ isView }) => !isView).map(({ relation }) => relation);
  const clauses = await checkClauses(connection, schema, tables);
  const isWhole = located.some(({ isView }) => isView) && (await allInSnapshot(connection));
  return located.flatMap(({ name, relation, isView }) => {
    const all = columns.get(relation) ?? [];
    const readable = all.filter(isReadable);
    if (readable.length === 0) return [];
    const { engine, estimated } = engines.get(relation) ?? { engine: null, estimated: null };
    // A view shows the texts of its tables and none of their checks.
    const isJson = (column: ColumnRow) => holdsJson(column.name, clauses.get(relation) ?? null);
    return {
      name,
      from: `${quoteName(schema)}.${quoteName(relation)}`,
      columns: readable.map((column) => describeColumn(column, isJson(column) === 'yes')),
      estimatedRows: estimated === null ? null : Number(estimated),
      inSnapshot: isView ? isWhole : engine === 'InnoDB',
      hiddenColumns: all.filter((column) => !isReadable(column)).map((column) => column.name),
      maybeJson: readable.filter((column) => isJson(column) === 'maybe').map((column) => column.name),
    };
  });
}

/** The rows of `sql` that are about these tables, and maybe others. */
async function rowsOf<Row>(connection: Connection, sql: string, schema: string, names: string[]): Promise<Row[]> {
  const order = sql === COLUMNS ? ' ORDER BY TABLE_NAME, ORDINAL_POSITION' : '';
  if (names.length > FEW) return query<Row>(connection, sql + order, [schema]);
  const rows: Row[] = [];
  for (const name of names)
    rows.push(...(await query<Row>(connection, `${sql} AND TABLE_NAME = ?${order}`, [schema, name])));
  return rows;
}

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
