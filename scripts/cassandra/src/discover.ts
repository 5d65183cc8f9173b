import { configError, type SourceTable } from '@ingesta/kit';
import type { Client } from 'cassandra-driver';
import { type CqlType, logicalTypeOf, parseCqlType } from './cql-type';

/** A table with what only Cassandra knows of it. */
export interface CassandraTable extends SourceTable {
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
/** Views and indexes are kept elsewhere. */
const TABLES = 'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?';
const COLUMNS = `SELECT table_name, column_name, kind, position, type FROM system_schema.columns
  WHERE keyspace_name = ?`;
const TYPES = 'SELECT type_name, field_names, field_types FROM system_schema.types WHERE keyspace_name = ?';

/** The order of `SELECT *`; static and regular columns stand by name. */
const KINDS = ['partition_key', 'clustering', 'static', 'regular'];

/** Throws `configError` for a keyspace that is not there. */
export async function assertKeyspace(client: Client, keyspace: string): Promise<void> {
  if ((await all(client, KEYSPACE, keyspace)).length > 0) return;
  const hint = 'Check CASSANDRA_KEYSPACE; a name created without quotes is lower-case.';
  throw configError(`There is no keyspace ${keyspace}`, hint);
}

/** The base tables of the keyspace, by name. */
export async function discover(client: Client, keyspace: string): Promise<CassandraTable[]> {
  const tables = await all<{ table_name: string }>(client, TABLES, keyspace);
  const userTypes = new Map(
    (await all<TypeRow>(client, TYPES, keyspace)).map(({ type_name, field_names, field_types }) => [
      type_name,
      (field_names ?? []).map((name, i) => ({ name, type: field_types![i]! })),
    ]),
  );
  const columns = new Map<string, ColumnRow[]>();
  for (const column of await all<ColumnRow>(client, COLUMNS, keyspace)) {
    // What a table of COMPACT STORAGE has for want of a column.
    if (column.type === 'empty') continue;
    const known = columns.get(column.table_name);
    if (known) known.push(column);
    else columns.set(column.table_name, [column]);
  }
  return tables
    .map(({ table_name: name }) => {
      const ordered = (columns.get(name) ?? []).sort(inSelectOrder);
      const types = new Map(ordered.map((column) => [column.column_name, parseCqlType(column.type, userTypes)]));
      const hasStatic = ordered.some((column) => column.kind === 'static');
      return {
        name,
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
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function inSelectOrder(a: ColumnRow, b: ColumnRow): number {
  if (a.kind !== b.kind) return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind);
  if (a.position !== b.position) return a.position - b.position;
  return Buffer.compare(Buffer.from(a.column_name), Buffer.from(b.column_name));
}

/** Every page of a small query over the schema. */
async function all<Row>(client: Client, query: string, keyspace: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of await client.execute(query, [keyspace], { prepare: true })) rows.push(row as unknown as Row);
  return rows;
}
