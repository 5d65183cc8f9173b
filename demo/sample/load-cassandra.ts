import { auth, Client, policies, types } from 'cassandra-driver';
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

/** Far below the 50 KiB at which a node refuses a batch. */
const BATCH_ROWS = 25;

const clientOf = ({ host, port, user, password }: Connection, keyspace?: string): Client =>
  new Client({
    contactPoints: [host],
    protocolOptions: { port },
    ...(keyspace === undefined ? {} : { keyspace }),
    authProvider: new auth.PlainTextAuthProvider(user, password),
    policies: { loadBalancing: new policies.loadBalancing.RoundRobinPolicy() },
    socketOptions: { connectTimeout: CONNECT_TIMEOUT_MS },
  });

/** Makes the keyspace that `database` names, for one node, where it is not there. Throws what the driver throws. */
export const createKeyspace = async (connection: Connection): Promise<void> => {
  const client = clientOf(connection);
  try {
    const replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    await client.execute(`CREATE KEYSPACE IF NOT EXISTS ${connection.database} WITH replication = ${replication}`);
  } finally {
    await client.shutdown();
  }
};

/** A connected client in the keyspace that `database` names; the caller shuts it down. Throws what the driver throws. */
export const connectCassandra = async (connection: Connection): Promise<Client> => {
  const client = clientOf(connection, connection.database);
  await client.connect();
  return client;
};

const foreignTables = async (client: Client, keyspace: string, names: string[]): Promise<string[]> => {
  const query = 'SELECT table_name, comment FROM system_schema.tables WHERE keyspace_name = ?';
  const { rows } = await client.execute(query, [keyspace], { prepare: true });
  const foreign = rows.filter((row) => names.includes(row.table_name) && !row.comment.startsWith(SAMPLE_MARK));
  return foreign.map((row) => String(row.table_name)).sort();
};

/** What the driver wants for a column; nothing at all for a null, which would leave a tombstone. */
const parameter = (column: string, value: unknown): unknown => {
  if (value === null) return types.unset;
  if (column.startsWith('monto')) return types.BigDecimal.fromString(String(value));
  if (column === 'fecha' || column === 'ts') return new Date(String(value));
  if (column === 'dia') return types.LocalDate.fromString(String(value));
  return value;
};

/**
 * Creates and fills the Cassandra tables of the sample; the same content again when run again. Cassandra has no
 * transactions: a load that fails leaves a part of the rows.
 *
 * @throws Error when the keyspace holds tables of these names that are no sample data.
 */
export const loadCassandra = async (connection: Connection, { scale, seed }: LoadOptions = {}): Promise<Loaded> => {
  const tables = generate(scale, seed).cassandra;
  const client = await connectCassandra(connection);
  try {
    refuseForeign(connection.database, await foreignTables(client, connection.database, Object.keys(tables)));
    const schema = (await readSchema('cassandra')).replaceAll(/^--.*$/gm, '');
    for (const statement of schema.split(';').map((text) => text.trim())) {
      if (statement !== '') await client.execute(statement);
    }
    const loaded: Loaded = {};
    for (const [table, rows] of Object.entries(tables)) {
      loaded[table] = 0;
      for (const batch of batches<object>(rows())) {
        const columns = Object.keys(batch[0] ?? {});
        const query = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
        const inserts = batch.map((row) => ({
          query,
          params: Object.entries(row).map(([column, value]) => parameter(column, value)),
        }));
        const groups = Array.from({ length: Math.ceil(inserts.length / BATCH_ROWS) }, (_, i) =>
          inserts.slice(i * BATCH_ROWS, (i + 1) * BATCH_ROWS),
        );
        await Promise.all(groups.map((group) => client.batch(group, { prepare: true, logged: false })));
        loaded[table] += batch.length;
      }
    }
    return loaded;
  } finally {
    await client.shutdown();
  }
};
