import type { Client } from 'pg';
import type { FoundTable } from './discover';
import { temporary } from './server-error';

/**
 * Catalog rows as of the snapshot beside the server's present knowledge. TRUNCATE and a rewriting ALTER TABLE are not
 * MVCC-safe: after them an older snapshot sees an empty table. A partition detached meanwhile is not read at all. The
 * heirs of an ordinary table are no part of it.
 */
const TABLE = `
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

/**
 * The same of everything that the transaction holds a lock on: what lies behind a view or a query, and the tables of
 * functions too.
 */
const LOCKED = `
SELECT c.relname AS relation FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND c.relkind IN ('r', 'm')
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
  AND c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid)
LIMIT 1`;

/** Throws when what was just read may have come out short. Its lock is held by now: nothing changes any more. */
export async function assertStillWhole(client: Client, { oid, kind }: FoundTable, what: string): Promise<void> {
  const isTable = kind === 'r' || kind === 'p';
  const { rows } = await client.query<{ relation: string }>(isTable ? TABLE : LOCKED, isTable ? [oid] : []);
  if (rows.length === 0) return;
  throw temporary(
    `${what}: ${rows[0]!.relation} was truncated, rewritten or detached after the snapshot was taken`,
    'Run again.',
  );
}
