import { type Client, DatabaseError } from 'pg';

/** Waiting for a table that is being altered, in milliseconds. */
const LOCK_TIMEOUT = 60_000;

/** What the server told when the snapshot was taken. */
export interface Snapshot {
  takenAt: Date;
  /** The first schema of the user's search path: its tables go by their bare name. */
  defaultSchema: string;
  /** The user's own; ours is empty. */
  searchPath: string;
  /** `server_version_num`: 150004. */
  version: number;
  /** By which other connections join; null where none may. */
  id: string | null;
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
  // A backend busy with a sort or a lock notices within this time that we are gone. Windows and older macOS refuse it.
  client_connection_check_interval: '2000',
} as const;

/** Names come out qualified, and nobody's function can stand in for one of pg_catalog's. */
export const NO_SEARCH_PATH = "SELECT pg_catalog.set_config('search_path', '', true)";

/** Rolled back to once a table is read: its locks go, so that 10,000 tables do not fill the server's lock table. */
const SAVEPOINT = 'SAVEPOINT nothing_read';
/** Frees the locks of what was read, and puts settings back. */
export const RELEASE_LOCKS = 'ROLLBACK TO SAVEPOINT nothing_read';

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/**
 * Opens the transaction that everything is read in. All of it is local to the transaction, so a pooler in transaction
 * mode hands a clean connection on. `share`: other connections are to join it, where the server can do that.
 */
export async function openSnapshot(client: Client, statementTimeout: number, share: boolean): Promise<Snapshot> {
  const statements = [
    BEGIN,
    `SELECT pg_catalog.current_schema()::pg_catalog.text AS schema,
     pg_catalog.current_setting('search_path') AS search_path,
     pg_catalog.date_part('epoch', pg_catalog.now()) * 1000 AS taken_at,
     pg_catalog.current_setting('server_encoding') AS encoding,
     pg_catalog.current_setting('server_version_num') AS version,
     ${share ? 'pg_catalog.pg_export_snapshot()' : 'NULL'} AS id`,
    ...sessionStatements(statementTimeout),
  ];
  let results: { rows: Record<string, unknown>[] }[];
  try {
    results = (await client.query(statements.join(';\n'))) as unknown as typeof results;
  } catch (error) {
    // Some that speak PostgreSQL's protocol, and some standbys, share no snapshot: one connection is enough.
    if (!share || !(error instanceof DatabaseError)) throw error;
    await client.query('ROLLBACK');
    return openSnapshot(client, statementTimeout, false);
  }
  const row = results[1]!.rows[0]!;
  return {
    takenAt: new Date(Math.floor(Number(row.taken_at))),
    defaultSchema: String(row.schema ?? 'public'),
    searchPath: String(row.search_path),
    encoding: String(row.encoding),
    version: Number(row.version),
    id: row.id === null ? null : String(row.id),
  };
}

/** Opens a transaction over the snapshot that another connection exported. */
export async function joinSnapshot(client: Client, id: string, statementTimeout: number): Promise<void> {
  const statements = [BEGIN, `SET TRANSACTION SNAPSHOT '${id}'`, ...sessionStatements(statementTimeout)];
  await client.query(statements.join(';\n'));
}

function sessionStatements(statementTimeout: number): string[] {
  const settings = { ...SESSION, statement_timeout: String(statementTimeout) };
  const values = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  return [
    `SELECT pg_catalog.set_config(v.name, v.value, true) FROM (VALUES ${values.join(', ')}) AS v (name, value)
     JOIN pg_catalog.pg_settings s ON pg_catalog.lower(s.name) = pg_catalog.lower(v.name)
     WHERE v.name <> 'client_connection_check_interval' OR pg_catalog.version() ~ 'linux'`,
    NO_SEARCH_PATH,
    SAVEPOINT,
  ];
}
