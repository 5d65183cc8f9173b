import type { Client } from 'pg';

/** Waiting for a table that is being altered, in milliseconds. */
const LOCK_TIMEOUT = 60_000;

/** What the server told when the snapshot was taken. */
export interface Snapshot {
  takenAt: Date;
  /** The first schema of the user's search path: its tables go by their bare name. */
  defaultSchema: string;
  /** `SQL_ASCII` promises nothing about the bytes. */
  encoding: string;
}

/** How values are printed, and what must not end a long read. Unknown names (older servers) are passed over. */
const SESSION = {
  client_encoding: 'UTF8',
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  // Shortest text that reads back to the same float, and 17 digits before PostgreSQL 12.
  extra_float_digits: '3',
  bytea_output: 'hex',
  xmloption: 'content',
  lock_timeout: String(LOCK_TIMEOUT),
  idle_in_transaction_session_timeout: '0',
  transaction_timeout: '0',
  // Every scan starts at the first page: two exports of the same table have the same order.
  synchronize_seqscans: 'off',
  jit: 'off',
  // A backend busy with a sort or a lock notices within this time that we are gone.
  client_connection_check_interval: '2000',
} as const;

/**
 * Opens the one transaction that everything is read in. All of it is local to the transaction, so a pooler in
 * transaction mode hands a clean connection on.
 */
export async function openSnapshot(client: Client, statementTimeout: number): Promise<Snapshot> {
  const settings = { ...SESSION, statement_timeout: String(statementTimeout) };
  const values = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  const statements = [
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    `SELECT pg_catalog.set_config(v.name, v.value, true) FROM (VALUES ${values.join(', ')}) AS v (name, value)
     JOIN pg_catalog.pg_settings s ON pg_catalog.lower(s.name) = pg_catalog.lower(v.name)`,
    `SELECT pg_catalog.current_schema()::pg_catalog.text AS schema,
     pg_catalog.date_part('epoch', pg_catalog.now()) * 1000 AS taken_at,
     pg_catalog.current_setting('server_encoding') AS encoding`,
    // Names come out qualified, and nobody's function can stand in for one of pg_catalog's.
    "SELECT pg_catalog.set_config('search_path', '', true)",
  ];
  const results = (await client.query(statements.join(';\n'))) as unknown as { rows: Record<string, unknown>[] }[];
  const row = results[2]!.rows[0]!;
  return {
    takenAt: new Date(Math.floor(Number(row.taken_at))),
    defaultSchema: String(row.schema ?? 'public'),
    encoding: String(row.encoding),
  };
}
