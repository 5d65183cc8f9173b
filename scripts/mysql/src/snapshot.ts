import type { Connection } from 'mysql2';
import { query } from './connect';

/**
 * How values are printed, and what must not end or shorten a long read. Comments with a version are read by servers
 * that know the variables: `/*!` by MySQL from there on (MariaDB skips 5.7 and later), `/*M!` by MariaDB.
 */
const SESSION = [
  "time_zone = '+00:00'",
  "sql_mode = ''",
  // Definitions are searched for names in backticks.
  'sql_quote_show_create = 1',
  // Seconds the server waits for us while the lake is slow, and between two tables.
  'net_write_timeout = 3600',
  'wait_timeout = 28800',
  // Waiting for a table that is being altered.
  'lock_wait_timeout = 60',
  // A limit somebody set for careless clients would end a table early, silently.
  'sql_select_limit = 18446744073709551615',
  'sql_big_selects = 1',
].join(', ');
const MYSQL_ONLY = '/*!50708 , max_execution_time = 0 */';
const MARIADB_ONLY =
  '/*M!100101 , max_statement_time = 0 */ /*M!100300 , idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0 */';

/** Opens the one transaction that everything is read in; answers its instant by the server's clock. */
export async function openSnapshot(connection: Connection): Promise<Date> {
  await query(connection, 'SET NAMES utf8mb4');
  await query(connection, `SET SESSION ${SESSION} ${MYSQL_ONLY} ${MARIADB_ONLY}`);
  await query(connection, 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  // Asked first: all that was committed by this instant is in the snapshot.
  const [clock] = await query<{ taken_at: string }>(
    connection,
    'SELECT CAST(UTC_TIMESTAMP(6) AS CHAR CHARACTER SET utf8mb4) AS taken_at',
  );
  await query(connection, 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  return new Date(`${clock!.taken_at.replace(' ', 'T')}Z`);
}
