import type { SourceTable } from '@ingesta/kit';
import type { Client } from 'pg';
import { BASE_TYPES, TYPE_COLUMNS, TYPE_JOINS, type TypeRow, typeOf } from './base-types';
import { columnExpression, logicalType } from './columns';
import { quoteIdentifier, tableName } from './identifiers';

/** `pg_class.relkind`: table, partitioned table, view, materialized view; or a query of the server's own. */
export type Kind = 'r' | 'p' | 'v' | 'm' | 'query';

/** A table's place, before anybody looked into it. */
export interface ListedRelation {
  oid: string;
  schema: string;
  relation: string;
  kind: Kind;
}

/** A table, view or dataset with what its query needs. */
export interface FoundTable {
  oid: string;
  kind: Kind;
  /** What stands behind FROM. */
  from: string;
  /** `search_path` for the query; null for ours, which is empty. */
  searchPath: string | null;
  /** Tables inherit from it that are not exported. */
  hiddenHeirs: boolean;
  /** Policies hide rows from this user. */
  rowSecurity: boolean;
  /** By the last VACUUM or ANALYZE; null where there was none. */
  pages: number | null;
  table: SourceTable;
  /** SELECT expression by column name. */
  expressions: Map<string, string>;
}

/** Of `pg_class c` and its `pg_namespace n`: its rows are in this snapshot, and the user may read some column. */
const READABLE = `c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery())
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
      AND NOT a.attisdropped AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'))`;

/**
 * Ordinary and partitioned tables, as `pg_dump` sees them: a partition stands for itself only where none of its
 * ancestors may be read. Views; but no materialized one that was never filled. Not foreign tables (another server's data,
 * outside of the snapshot); not temporary ones, nor unlogged ones on a standby, which hold nothing there. Takes no lock
 * on any of them.
 */
const LIST = `
WITH readable AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relispopulated AND ${READABLE}
)
SELECT r.oid::pg_catalog.text AS oid, r.nspname AS schema, r.relname AS relation, r.relkind AS kind
FROM readable r
WHERE NOT r.relispartition OR NOT EXISTS (
  SELECT FROM pg_catalog.pg_partition_ancestors(r.oid) p (oid) JOIN readable a ON a.oid = p.oid WHERE a.oid <> r.oid)
ORDER BY r.nspname, r.relname`;

/** Sizes of partitioned tables are not asked of `pg_partition_tree`, which locks them. */
const DESCRIBE = `
WITH RECURSIVE ${BASE_TYPES}
SELECT r.oid::pg_catalog.text AS oid, r.relkind = 'r' AND EXISTS (
    SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = r.oid AND i.inhrelid <> ALL ($1::pg_catalog.oid[])
  ) AS hidden_heirs,
  pg_catalog.row_security_active(r.oid) AS row_security,
  NULLIF(r.relpages, 0) AS pages,
  CASE r.relkind WHEN 'v' THEN NULL WHEN 'p' THEN (
    WITH RECURSIVE tree (oid) AS (
      SELECT r.oid
      UNION ALL
      SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON tree.oid = i.inhparent
    )
    SELECT sum(l.reltuples) FILTER (WHERE l.reltuples >= 0)
    FROM tree JOIN pg_catalog.pg_class l ON l.oid = tree.oid WHERE l.relkind <> 'p'
  ) ELSE r.reltuples END AS estimated_rows,
  a.attname AS column, pg_catalog.format_type(a.atttypid, a.atttypmod) AS source_type,
  NOT (a.attnotnull OR b.not_null) AS nullable, ${TYPE_COLUMNS}
FROM pg_catalog.pg_class r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  AND pg_catalog.has_column_privilege(r.oid, a.attnum, 'SELECT')
JOIN base b ON b.oid = a.atttypid
${TYPE_JOINS}
WHERE r.oid = ANY ($1::pg_catalog.oid[])
ORDER BY r.oid, a.attnum`;

interface Row extends TypeRow {
  oid: string;
  hidden_heirs: boolean;
  row_security: boolean;
  pages: number | null;
  estimated_rows: number | null;
  column: string;
  source_type: string;
  nullable: boolean;
}

/** All tables and views that the user may read, by result name. */
export async function listRelations(client: Client, defaultSchema: string): Promise<Map<string, ListedRelation>> {
  const { rows } = await client.query<ListedRelation>(LIST);
  return new Map(rows.map((row) => [tableName(row.schema, row.relation, defaultSchema), row]));
}

/** Some of them with their columns, by the same names. */
export async function describeRelations(
  client: Client,
  relations: ReadonlyMap<string, ListedRelation>,
): Promise<Map<string, FoundTable>> {
  const byOid = new Map<string, FoundTable>();
  const found = new Map<string, FoundTable>();
  for (const [name, { oid, schema, relation, kind }] of relations) {
    const qualified = `${quoteIdentifier(schema)}.${quoteIdentifier(relation)}`;
    const entry: FoundTable = {
      oid,
      kind,
      from: kind === 'r' ? `ONLY ${qualified}` : qualified,
      searchPath: null,
      hiddenHeirs: false,
      rowSecurity: false,
      pages: null,
      table: { name, columns: [], estimatedRows: null },
      expressions: new Map(),
    };
    byOid.set(oid, entry);
    found.set(name, entry);
  }
  const { rows } = await client.query<Row>(DESCRIBE, [[...byOid.keys()]]);
  for (const row of rows) {
    const entry = byOid.get(row.oid)!;
    entry.hiddenHeirs = row.hidden_heirs;
    entry.rowSecurity = row.row_security;
    entry.pages = row.pages;
    // -1: never analyzed.
    if (row.estimated_rows !== null && row.estimated_rows >= 0)
      entry.table.estimatedRows = Math.round(row.estimated_rows);
    const type = typeOf(row);
    entry.expressions.set(row.column, columnExpression(row.column, type));
    entry.table.columns.push({
      name: row.column,
      source_type: row.source_type,
      logical_type: logicalType(type),
      nullable: row.nullable,
    });
  }
  return found;
}
