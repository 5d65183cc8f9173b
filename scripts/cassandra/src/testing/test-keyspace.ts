import { randomBytes } from 'node:crypto';
import type { ListedTable } from '@ingesta/kit';
import { auth, Client } from 'cassandra-driver';
import { cassandraEnv } from '../../../../test/services/need';
import { type Opened, openSession } from '../../../kit/src/testing/open-session';
import { cassandra } from '../source';

/** A keyspace of a test file's own, with an administrator's client in it. */
export interface TestKeyspace {
  readonly name: string;
  readonly admin: Client;
  /** Opens a session of the source; every table of the keyspace was described already. */
  open(changes?: Record<string, string>): Promise<Opened>;
  drop(): Promise<void>;
}

/** Those of other keyspaces are other tests' business, and may vanish. */
const isOfKeyspace = (table: ListedTable): boolean => !table.name.includes('.');

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
    open: (changes) => openSession(cassandra, { ...sourceEnv(name), ...changes }, isOfKeyspace),
    drop: async () => {
      await admin.execute(`DROP KEYSPACE ${name}`);
      await admin.shutdown();
    },
  };
}
