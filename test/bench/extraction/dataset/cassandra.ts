import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { auth, Client, types } from 'cassandra-driver';
import { cassandraEnv } from '../../../services/need';
import type { LoadedTable } from './loaded-table';
import { eachRow, type Row, TABLE } from './row';

/** Below the 50 KiB at which a node refuses a batch. */
const BATCH = 60;
const CONCURRENT_BATCHES = 6;
const SETTLE_MS = 60_000;

const COLUMNS = `id int PRIMARY KEY, account bigint, amount decimal, ratio double, active boolean, born date,
  seen timestamp, reference uuid, code text, note text, attributes map<text, text>, payload blob`;
const INSERT = `INSERT INTO ${TABLE} (id, account, amount, ratio, active, born, seen, reference, code, note, attributes,
  payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Loads the table by unlogged batches, several at a time: the node is alone, so a batch has no detours to make. */
export async function loadCassandra(rows: number): Promise<LoadedTable> {
  const env = cassandraEnv();
  const { host, port, user, password, dockerHost } = env;
  const keyspace = `bench_${randomUUID().slice(0, 8)}`;
  const client = new Client({
    contactPoints: [host],
    protocolOptions: { port },
    localDataCenter: 'datacenter1',
    authProvider: new auth.PlainTextAuthProvider(user, password),
    socketOptions: { readTimeout: 60_000 },
  });
  const drop = async () => {
    await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`);
    await client.shutdown();
  };
  try {
    await client.execute(
      `CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
    );
    await client.execute(`USE ${keyspace}`);
    await client.execute(`CREATE TABLE ${TABLE} (${COLUMNS})`);
    const source = eachRow(rows);
    const insert = async () => {
      for (;;) {
        const queries: { query: string; params: unknown[] }[] = [];
        while (queries.length < BATCH) {
          const next = source.next();
          if (next.done) break;
          queries.push({ query: INSERT, params: parameters(next.value) });
        }
        if (queries.length === 0) return;
        await client.batch(queries, { prepare: true, logged: false });
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_BATCHES }, insert));
    await settle(client);
  } catch (error) {
    await drop();
    throw error;
  }
  return {
    rows,
    database: keyspace,
    server: env,
    settings: (fromContainer) => ({
      CASSANDRA_HOST: fromContainer ? dockerHost : host,
      CASSANDRA_PORT: String(port),
      CASSANDRA_USER: user,
      CASSANDRA_PASSWORD: password,
      CASSANDRA_KEYSPACE: keyspace,
    }),
    drop,
  };
}

function parameters(row: Row): unknown[] {
  return [
    row.id,
    types.Long.fromString(String(row.account)),
    types.BigDecimal.fromString(row.amount),
    row.ratio,
    row.active,
    types.LocalDate.fromString(row.born),
    new Date(`${row.seen.replace(' ', 'T')}Z`),
    types.Uuid.fromString(row.reference),
    row.code,
    // Unset, not null: a null would be a tombstone for every reader to step over.
    row.note ?? types.unset,
    row.attributes,
    row.payload === null ? types.unset : Buffer.from(row.payload, 'hex'),
  ];
}

/** Waits until the node has merged what was just written, else its compaction would be measured with the readers. */
async function settle(client: Client): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  while (performance.now() < deadline) {
    const { rows } = await client.execute('SELECT task_id FROM system_views.sstable_tasks');
    if (rows.length === 0) return;
    await sleep(500);
  }
}
