import type { Client } from 'pg';
import type { FoundTable } from './discover';

/** Pages of one range, 8 KiB each: small enough that connections end together, large enough that its query costs nothing. */
const RANGE_PAGES = 1_024;
/** Smaller tables are read in one go: another connection costs more than it could save. */
const MIN_PAGES = 4 * RANGE_PAGES;
/** Even where a table has a thousand partitions. */
const MIN_RANGE_PAGES = 64;
/** Before it the server answers a range of pages by reading all of them. */
const FIRST_WITH_RANGES = 140_000;

/**
 * Sizes of what a table's rows lie in. Only heaps have pages that can be asked for by number; partitions may be foreign
 * tables. Where a row lies may be asked by those only who may read the whole table, not by those with some of its columns.
 */
const SIZES = `
WITH RECURSIVE tree (oid) AS (
  SELECT $1::pg_catalog.oid
  UNION ALL
  SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON tree.oid = i.inhparent
  JOIN pg_catalog.pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
)
SELECT pg_catalog.max(s.pages)::pg_catalog.float8 AS largest, pg_catalog.sum(s.pages)::pg_catalog.float8 AS total
FROM (
  SELECT pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::pg_catalog.int8 AS pages,
    m.amname IS NOT DISTINCT FROM 'heap' AS heap
  FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
  WHERE c.relkind <> 'p'
) s
HAVING pg_catalog.bool_and(s.heap) AND pg_catalog.has_column_privilege($1::pg_catalog.oid, 'ctid', 'SELECT')`;

/**
 * Conditions that split a table's rows into ranges of pages; one without any condition where it is small, or where that
 * cannot be. Partitioned tables are split by the pages of every partition at once: that needs no right on them.
 */
export async function pageRanges(client: Client, found: FoundTable, version: number): Promise<string[]> {
  if (!canBeSplit(found) || version < FIRST_WITH_RANGES) return [''];
  const { rows } = await client.query<{ largest: number; total: number }>(SIZES, [found.oid]);
  const [size] = rows;
  if (!size || size.total < MIN_PAGES) return [''];
  const step = Math.max(MIN_RANGE_PAGES, Math.floor((RANGE_PAGES * size.largest) / size.total));
  const starts = Array.from({ length: Math.max(1, Math.ceil(size.largest / step)) }, (_, i) => i * step);
  // The last one is open: whatever came later is not in the snapshot anyway.
  return starts.map((start, i) => {
    const from = `ctid >= '(${start},0)'::pg_catalog.tid`;
    return i === starts.length - 1 ? from : `${from} AND ctid < '(${start + step},0)'::pg_catalog.tid`;
  });
}

/** Under row-level security the policies would be asked first, for every row of every range. */
const canBeSplit = ({ kind, rowSecurity, pages }: FoundTable): boolean =>
  !rowSecurity && (kind === 'p' || ((kind === 'r' || kind === 'm') && (pages === null || pages >= MIN_PAGES / 2)));
