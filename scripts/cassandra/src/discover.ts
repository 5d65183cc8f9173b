import { configError, type SourceTable } from '@ingesta/kit';
import type { Client } from 'cassandra-driver';
import { type CqlType, logicalTypeOf, parseCqlType, type UserTypes } from './cql-type';
import { isServerKeyspace } from './server-keyspaces';

/** What is there to read, without a look into it. */
export interface FoundTable {
  keyspace: string;
  table: string;
  /** Of a materialized view, whose rights are those of the table that it shows. */
  base?: string;
}

/** A table with what only Cassandra knows of it. */
export interface CassandraTable extends SourceTable {
  keyspace: string;
  /** Its own name; `name` may have the keyspace before it. */
  table: string;
  /** Whose token tells the range. */
  partitionKey: string[];
  types: Map<string, CqlType>;
}

interface ColumnRow {
  table_name: string;
  column_name: string;
  kind: 'partition_key' | 'clustering' | 'static' | 'regular';
  position: number;
  type: string;
}

interface TypeRow {
  type_name: string;
  field_names: string[] | null;
  field_types: string[] | null;
}

const KEYSPACE = 'SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?';
/** Virtual tables and indexes are kept elsewhere. */
const TABLES = 'SELECT keyspace_name, table_name FROM system_schema.tables';
const VIEWS = 'SELECT keyspace_name, view_name, base_table_name FROM system_schema.views';
const COLUMNS = `SELECT table_name, column_name, kind, position, type FROM system_schema.columns
  WHERE keyspace_name = ? AND table_name IN ?`;
const TYPES = 'SELECT type_name, field_names, field_types FROM system_schema.types WHERE keyspace_name = ?';

/** Tables whose columns are asked for at once. */
const ASK_AT_ONCE = 100;

/** The order of `SELECT *`; static and regular columns stand by name. */
const KINDS = ['partition_key', 'clustering', 'static', 'regular'];

/** Throws `configError` for a keyspace that is not there. */
export async function assertKeyspace(client: Client, keyspace: string): Promise<void> {
  if ((await all(client, KEYSPACE, [keyspace])).length > 0) return;
  const hint = 'Check CASSANDRA_KEYSPACE; a name created without quotes is lower-case.';
  throw configError(`There is no keyspace ${keyspace}`, hint);
}

/** Tables and materialized views of every keyspace but the server's own, by name. */
export async function listTables(client: Client): Promise<FoundTable[]> {
  const tables = await all<{ keyspace_name: string; table_name: string }>(client, TABLES);
  const views = await all<{ keyspace_name: string; view_name: string; base_table_name: string }>(client, VIEWS);
  const found: FoundTable[] = [
    ...tables.map((row) => ({ keyspace: row.keyspace_name, table: row.table_name })),
    ...views.map((row) => ({ keyspace: row.keyspace_name, table: row.view_name, base: row.base_table_name })),
  ];
  return found
    .filter(({ keyspace }) => !isServerKeyspace(keyspace))
    .sort((a, b) => (a.keyspace === b.keyspace ? order(a.table, b.table) : order(a.keyspace, b.keyspace)));
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Columns and types of some tables of one keyspace, by their own names. One that was dropped meanwhile has no columns. */
export async function describeTables(
  client: Client,
  keyspace: string,
  tables: readonly string[],
): Promise<Map<string, CassandraTable>> {
  const userTypes: UserTypes = new Map(
    (await all<TypeRow>(client, TYPES, [keyspace])).map(({ type_name, field_names, field_types }) => [
      type_name,
      (field_names ?? []).map((name, i) => ({ name, type: field_types![i]! })),
    ]),
  );
  const columns = new Map<string, ColumnRow[]>(tables.map((table) => [table, []]));
  for (let at = 0; at < tables.length; at += ASK_AT_ONCE) {
    for (const column of await all<ColumnRow>(client, COLUMNS, [keyspace, tables.slice(at, at + ASK_AT_ONCE)])) {
      // What a table of COMPACT STORAGE has for want of a column.
      if (column.type !== 'empty') columns.get(column.table_name)!.push(column);
    }
  }
  return new Map([...columns].map(([table, rows]) => [table, describe(keyspace, table, rows, userTypes)]));
}

function describe(keyspace: string, table: string, rows: ColumnRow[], userTypes: UserTypes): CassandraTable {
  const ordered = rows.sort(inSelectOrder);
  const types = new Map(ordered.map((column) => [column.column_name, parseCqlType(column.type, userTypes)]));
  const hasStatic = ordered.some((column) => column.kind === 'static');
  return {
    name: table,
    keyspace,
    table,
    columns: ordered.map((column) => ({
      name: column.column_name,
      source_type: column.type,
      logical_type: logicalTypeOf(types.get(column.column_name)!),
      // A partition may consist of its static columns alone.
      nullable: column.kind !== 'partition_key' && (column.kind !== 'clustering' || hasStatic),
    })),
    // Nodes estimate partitions, each its own part of them only.
    estimatedRows: null,
    partitionKey: ordered.filter(({ kind }) => kind === 'partition_key').map(({ column_name }) => column_name),
    types,
  };
}

function inSelectOrder(a: ColumnRow, b: ColumnRow): number {
  if (a.kind !== b.kind) return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind);
  if (a.position !== b.position) return a.position - b.position;
  return Buffer.compare(Buffer.from(a.column_name), Buffer.from(b.column_name));
}

/** Every page of a small query over the schema. */
async function all<Row>(client: Client, query: string, parameters: unknown[] = []): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of await client.execute(query, parameters, { prepare: true })) rows.push(row as unknown as Row);
  return rows;
}
