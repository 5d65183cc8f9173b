import { randomBytes } from 'node:crypto';
import type { SourceContext, SourceEnv, SourceSession, SourceTable, TableSelection } from '@ingesta/kit';
import { auth, Client } from 'cassandra-driver';
import { cassandraEnv } from '../../../../test/services/need';
import { parseCsv } from '../../../kit/src/testing/parse-csv';
import { cassandra } from '../source';

/** A keyspace of a test file's own, with an administrator's client in it. */
export interface TestKeyspace {
  readonly name: string;
  readonly admin: Client;
  /** Opens a session of the source; `tables()` was asked already. */
  open(changes?: Record<string, string>): Promise<Opened>;
  drop(): Promise<void>;
}

/** A session with what it told. */
export interface Opened {
  readonly session: SourceSession;
  readonly tables: SourceTable[];
  readonly warnings: string[];
  readonly env: SourceEnv;
  readonly abort: AbortController;
  /** Everything of one table, or only some columns. */
  select(table: string, columns?: string[], isSensitiveKey?: TableSelection['isSensitiveKey']): TableSelection;
  csv(selection: TableSelection): Promise<string>;
  /** Parsed, without the header. */
  rows(table: string): Promise<(string | null)[][]>;
}

/** Settings that reach the test server. */
export function sourceEnv(keyspace: string): Record<string, string> {
  const { host, port, user, password } = cassandraEnv();
  return {
    CASSANDRA_HOST: host,
    CASSANDRA_PORT: String(port),
    CASSANDRA_USER: user,
    CASSANDRA_PASSWORD: password,
    CASSANDRA_KEYSPACE: keyspace,
  };
}

/** A context that keeps the warnings. */
export function testContext(warnings: string[] = []): { context: SourceContext; abort: AbortController } {
  const abort = new AbortController();
  const context: SourceContext = { signal: abort.signal, log: () => {}, warn: (message) => warnings.push(message) };
  return { context, abort };
}

/** A client of the administrator, with the driver's own decoding. */
export function adminClient(keyspace?: string): Client {
  const { host, port, user, password } = cassandraEnv();
  return new Client({
    contactPoints: [host],
    protocolOptions: { port },
    localDataCenter: 'datacenter1',
    keyspace,
    authProvider: new auth.PlainTextAuthProvider(user, password),
    socketOptions: { readTimeout: 60_000 },
  });
}

/** Creates an empty keyspace and connects to it. */
export async function createTestKeyspace(): Promise<TestKeyspace> {
  const name = `cassandra_source_${randomBytes(5).toString('hex')}`;
  const creator = adminClient();
  await creator.execute(
    `CREATE KEYSPACE ${name} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
  );
  await creator.shutdown();
  const admin = adminClient(name);
  await admin.connect();
  return {
    name,
    admin,
    open: (changes) => open({ ...sourceEnv(name), ...changes }),
    drop: async () => {
      await admin.execute(`DROP KEYSPACE ${name}`);
      await admin.shutdown();
    },
  };
}

async function open(env: SourceEnv): Promise<Opened> {
  const warnings: string[] = [];
  const { context, abort } = testContext(warnings);
  const session = await cassandra.connect(env, context);
  const tables = await session.tables();
  const select: Opened['select'] = (name, names, isSensitiveKey = () => false) => {
    const table = tables.find((known) => known.name === name);
    if (!table) throw new Error(`No table ${name}`);
    const columns = table.columns.filter((column) => !names || names.includes(column.name));
    return { table, columns, isSensitiveKey };
  };
  const csv = async (selection: TableSelection): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of session.read(selection)) chunks.push(chunk.data);
    return Buffer.concat(chunks).toString('utf8');
  };
  const rows = async (name: string) => parseCsv(await csv(select(name))).slice(1);
  return { session, tables, warnings, env, abort, select, csv, rows };
}
