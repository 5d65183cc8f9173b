import { type Connection as Client, createConnection, type RowDataPacket } from 'mysql2/promise';
import { generate } from './insurance/generate';
import {
  batches,
  CONNECT_TIMEOUT_MS,
  type Connection,
  type Loaded,
  type LoadOptions,
  readSchema,
  refuseForeign,
  SAMPLE_MARK,
} from './load';

/** A connected client; the caller ends it. Throws what `mysql2` throws. */
export const connectMysql = (connection: Connection): Promise<Client> =>
  createConnection({
    ...connection,
    charset: 'utf8mb4',
    connectTimeout: CONNECT_TIMEOUT_MS,
    // The schema is one file of many statements.
    multipleStatements: true,
  });

const foreignTables = async (client: Client, names: string[]): Promise<string[]> => {
  const [rows] = await client.query<RowDataPacket[]>(
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = database() AND table_name IN (?) AND table_comment NOT LIKE ?
     ORDER BY table_name`,
    [names, `${SAMPLE_MARK}%`],
  );
  return rows.map(({ name }) => String(name));
};

/**
 * Creates and fills the MySQL tables of the sample; the same content again when run again. The rows come in one
 * transaction, but MySQL commits DDL at once: a load that fails leaves empty tables, never half of the rows.
 *
 * @throws Error when the database holds tables of these names that are no sample data.
 */
export const loadMysql = async (connection: Connection, { scale, seed }: LoadOptions = {}): Promise<Loaded> => {
  const tables = generate(scale, seed).mysql;
  const client = await connectMysql(connection);
  try {
    refuseForeign(connection.database, await foreignTables(client, Object.keys(tables)));
    // Strict: a value that does not fit fails. A server that takes no backslash escapes would misread the literals.
    await client.query("SET SESSION sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'");
    await client.query(await readSchema('mysql'));
    await client.beginTransaction();
    const loaded: Loaded = {};
    for (const [table, rows] of Object.entries(tables)) {
      loaded[table] = 0;
      for (const batch of batches<object>(rows())) {
        const columns = Object.keys(batch[0] ?? {});
        await client.query('INSERT INTO ?? (??) VALUES ?', [table, columns, batch.map((row) => Object.values(row))]);
        loaded[table] += batch.length;
      }
    }
    await client.commit();
    // Fresh statistics: exporters take their row estimates from them. It commits, so it comes last.
    await client.query('ANALYZE TABLE ??', [Object.keys(tables)]);
    return loaded;
  } finally {
    // Without a goodbye: it also works on a connection that is already lost, and rolls back what was not committed.
    client.destroy();
  }
};
