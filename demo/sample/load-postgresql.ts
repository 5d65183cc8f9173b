import { Client } from 'pg';
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

/** A connected client; the caller ends it. Throws what `pg` throws. */
export const connectPostgresql = async (connection: Connection): Promise<Client> => {
  const client = new Client({ ...connection, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // A lost connection rejects the pending query as well; unheard, the event would end the process before that.
  client.on('error', () => {});
  await client.connect();
  return client;
};

const foreignTables = async (client: Client, names: string[]): Promise<string[]> => {
  const { rows } = await client.query<{ relname: string }>(
    `SELECT relname FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relname = ANY($1)
       AND NOT starts_with(coalesce(obj_description(oid, 'pg_class'), ''), $2)
     ORDER BY relname`,
    [names, SAMPLE_MARK],
  );
  return rows.map(({ relname }) => relname);
};

/**
 * Creates and fills the PostgreSQL tables of the sample in one transaction: all or nothing, and the same content again
 * when run again.
 *
 * @throws Error when the database holds tables of these names that are no sample data.
 */
export const loadPostgresql = async (connection: Connection, { scale, seed }: LoadOptions = {}): Promise<Loaded> => {
  const tables = generate(scale, seed).postgresql;
  const client = await connectPostgresql(connection);
  try {
    refuseForeign(connection.database, await foreignTables(client, Object.keys(tables)));
    await client.query('BEGIN');
    await client.query(await readSchema('postgresql'));
    const loaded: Loaded = {};
    for (const [table, rows] of Object.entries(tables)) {
      loaded[table] = 0;
      for (const batch of batches<object>(rows())) {
        // One JSON parameter per batch lets the server convert every type, arrays and jsonb included.
        await client.query(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1)`, [
          JSON.stringify(batch),
        ]);
        loaded[table] += batch.length;
      }
      // Fresh statistics: exporters take their row estimates from them.
      await client.query(`ANALYZE ${table}`);
    }
    await client.query('COMMIT');
    return loaded;
  } finally {
    // Ending the connection rolls back what was not committed.
    await client.end();
  }
};
