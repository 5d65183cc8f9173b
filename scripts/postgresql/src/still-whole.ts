import type { Client } from 'pg';
import { temporary } from './server-error';

/**
 * Catalog rows as of the snapshot beside the server's present knowledge. TRUNCATE and a rewriting ALTER TABLE are not
 * MVCC-safe: after them an older snapshot sees an empty table. A partition detached meanwhile is not read at all. The
 * heirs of an ordinary table are no part of it.
 */
const QUERY = `
WITH RECURSIVE tree (oid) AS (
  SELECT $1::pg_catalog.oid
  UNION ALL
  SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON tree.oid = i.inhparent
  JOIN pg_catalog.pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
)
SELECT c.relname AS relation FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid
WHERE (c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid))
  OR (c.relispartition
      AND pg_catalog.pg_partition_root(c.oid) IS DISTINCT FROM pg_catalog.pg_partition_root($1::pg_catalog.oid))
LIMIT 1`;

/** Throws when the table just read may have come out short. Its lock is held by now: nothing changes any more. */
export async function assertStillWhole(client: Client, oid: string, what: string): Promise<void> {
  const { rows } = await client.query<{ relation: string }>(QUERY, [oid]);
  if (rows.length === 0) return;
  throw temporary(
    `${what}: ${rows[0]!.relation} was truncated, rewritten or detached after the snapshot was taken`,
    'Run again.',
  );
}
