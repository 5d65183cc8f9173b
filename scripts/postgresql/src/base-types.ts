import type { BaseType } from './columns';

/** Table `base (oid, base, not_null)` of a recursive WITH: every type and what it is behind its domains. */
export const BASE_TYPES = `base (oid, base, not_null) AS (
  SELECT oid, oid, false FROM pg_catalog.pg_type WHERE typtype <> 'd'
  UNION ALL
  SELECT d.oid, b.base, d.typnotnull OR b.not_null FROM pg_catalog.pg_type d JOIN base b ON b.oid = d.typbasetype WHERE d.typtype = 'd'
)`;

/** What `typeOf` wants to know, behind `TYPE_JOINS`. */
export const TYPE_COLUMNS = `bt.typname AS base, bt.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AS built_in,
  bt.typtype = 'c' OR bt.typname = 'record' AND bt.typtype = 'p' AS composite, et.typname AS element`;

/** Joins a column's `base b` to its type and its element's. */
export const TYPE_JOINS = `JOIN pg_catalog.pg_type bt ON bt.oid = b.base
LEFT JOIN pg_catalog.pg_type el ON el.typarray = bt.oid
LEFT JOIN base eb ON eb.oid = el.oid
LEFT JOIN pg_catalog.pg_type et ON et.oid = eb.base`;

/** A row of `TYPE_COLUMNS`. */
export interface TypeRow {
  base: string;
  built_in: boolean;
  composite: boolean;
  element: string | null;
}

/** The type of a column. */
export const typeOf = (row: TypeRow): BaseType => ({
  name: row.base,
  builtIn: row.built_in,
  composite: row.composite,
  element: row.element,
});
