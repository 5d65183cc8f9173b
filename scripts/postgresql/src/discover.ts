import type { SourceTable } from '@ingesta/kit';
import type { Client } from 'pg';
import { columnExpression, logicalType } from './columns';
import { tableName } from './identifiers';

/** A table with what its query needs. */
export interface FoundTable {
  oid: string;
  schema: string;
  relation: string;
  /** Its rows lie in other tables; an ordinary table has its own, and its heirs are tables by themselves. */
  partitioned: boolean;
  /** Tables inherit from it that are not exported. */
  hiddenHeirs: boolean;
  /** Policies hide rows from this user. */
  rowSecurity: boolean;
  table: SourceTable;
  /** SELECT expression by column name. */
  expressions: Map<string, string>;
}

/**
 * Ordinary and partitioned tables, as `pg_dump` sees them: a partition stands for itself only where none of its
 * ancestors may be read. Not views; not foreign tables (another server's data, outside of the snapshot); not
 * temporary ones, nor unlogged ones on a standby, which hold nothing there. Takes no lock on any of them, which is why
 * the sizes of partitioned tables are not asked of `pg_partition_tree`.
 */
const QUERY = `
WITH RECURSIVE base (oid, base, not_null) AS (
  SELECT oid, oid, false FROM pg_catalog.pg_type WHERE typtype <> 'd'
  UNION ALL
  SELECT d.oid, b.base, d.typnotnull OR b.not_null FROM pg_catalog.pg_type d JOIN base b ON b.oid = d.typbasetype WHERE d.typtype = 'd'
), readable AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.reltuples
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery())
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
)
SELECT r.oid::pg_catalog.text AS oid, r.nspname AS schema, r.relname AS relation,
  r.relkind = 'p' AS partitioned, r.relkind = 'r' AND EXISTS (
    SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = r.oid AND i.inhrelid NOT IN (SELECT oid FROM readable)
  ) AS hidden_heirs,
  pg_catalog.row_security_active(r.oid) AS row_security,
  CASE r.relkind WHEN 'r' THEN r.reltuples ELSE (
    WITH RECURSIVE tree (oid) AS (
      SELECT r.oid
      UNION ALL
      SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON tree.oid = i.inhparent
    )
    SELECT sum(l.reltuples) FILTER (WHERE l.reltuples >= 0)
    FROM tree JOIN pg_catalog.pg_class l ON l.oid = tree.oid WHERE l.relkind <> 'p'
  ) END AS estimated_rows,
  a.attname AS column, pg_catalog.format_type(a.atttypid, a.atttypmod) AS source_type,
  NOT (a.attnotnull OR b.not_null) AS nullable,
  bt.typname AS base, bt.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AS built_in,
  bt.typtype = 'c' AS composite, et.typname AS element
FROM readable r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  AND pg_catalog.has_column_privilege(r.oid, a.attnum, 'SELECT')
JOIN base b ON b.oid = a.atttypid
JOIN pg_catalog.pg_type bt ON bt.oid = b.base
LEFT JOIN pg_catalog.pg_type el ON el.typarray = bt.oid
LEFT JOIN base eb ON eb.oid = el.oid
LEFT JOIN pg_catalog.pg_type et ON et.oid = eb.base
WHERE NOT r.relispartition OR NOT EXISTS (
  SELECT FROM pg_catalog.pg_partition_ancestors(r.oid) p (oid) JOIN readable a ON a.oid = p.oid WHERE a.oid <> r.oid)
ORDER BY r.nspname, r.relname, a.attnum`;

interface Row {
  oid: string;
  schema: string;
  relation: string;
  partitioned: boolean;
  hidden_heirs: boolean;
  row_security: boolean;
  estimated_rows: number | null;
  column: string;
  source_type: string;
  nullable: boolean;
  base: string;
  built_in: boolean;
  composite: boolean;
  element: string | null;
}

/** All tables and columns that the user may read, by result name. */
export async function discover(client: Client, defaultSchema: string): Promise<Map<string, FoundTable>> {
  const found = new Map<string, FoundTable>();
  const { rows } = await client.query<Row>(QUERY);
  for (const row of rows) {
    const name = tableName(row.schema, row.relation, defaultSchema);
    let entry = found.get(name);
    if (!entry) {
      // -1: never analyzed.
      const estimate = row.estimated_rows !== null && row.estimated_rows >= 0 ? Math.round(row.estimated_rows) : null;
      entry = {
        oid: row.oid,
        schema: row.schema,
        relation: row.relation,
        partitioned: row.partitioned,
        hiddenHeirs: row.hidden_heirs,
        rowSecurity: row.row_security,
        table: { name, columns: [], estimatedRows: estimate },
        expressions: new Map(),
      };
      found.set(name, entry);
    }
    const type = { name: row.base, builtIn: row.built_in, composite: row.composite, element: row.element };
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
