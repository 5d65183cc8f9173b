import { randomUUID } from 'node:crypto';
import * as os from 'node:os';
import { auth, Client as CassandraClient } from 'cassandra-driver';
import { MongoClient } from 'mongodb';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { cassandraEnv, type DatabaseEnv, mongoEnv, mysqlEnv, pgEnv } from '../../services/need';

/** A database of one's own on a real server. */
export interface TestDatabase {
  readonly name: string;
  /** Variables of the source; `fromContainer` where the script runs in a container. */
  settings(fromContainer: boolean): Record<string, string>;
  query(sql: string): Promise<unknown>;
  drop(): Promise<void>;
}

const freshName = () => `e2e_${randomUUID().replaceAll('-', '').slice(0, 16)}`;

const settings = (prefix: string, env: DatabaseEnv, database: string) => (fromContainer: boolean) => ({
  [`${prefix}_HOST`]: fromContainer ? env.dockerHost : env.host,
  [`${prefix}_PORT`]: String(env.port),
  [`${prefix}_USER`]: env.user,
  [`${prefix}_PASSWORD`]: env.password,
  [`${prefix}_DATABASE`]: database,
});

export async function createPostgresql(): Promise<TestDatabase> {
  const env = pgEnv();
  const { host, port, user, password } = env;
  const name = freshName();
  const connect = async (database: string) => {
    const client = new Client({ host, port, user, password, database });
    await client.connect();
    return client;
  };
  const admin = await connect('postgres');
  await admin.query(`CREATE DATABASE ${name}`);
  const client = await connect(name);
  return {
    name,
    settings: settings('POSTGRES', env, name),
    query: (sql) => client.query(sql),
    drop: async () => {
      await client.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

/** `env`: another server than that of the tests. */
export async function createMysql(env = mysqlEnv()): Promise<TestDatabase> {
  const { host, port, user, password } = env;
  const name = freshName();
  const connection = await createConnection({ host, port, user, password, multipleStatements: true });
  await connection.query(`CREATE DATABASE ${name}; USE ${name}`);
  return {
    name,
    settings: settings('MYSQL', env, name),
    query: (sql) => connection.query(sql),
    drop: async () => {
      await connection.query(`DROP DATABASE ${name}`);
      await connection.end();
    },
  };
}

export async function createCassandra(): Promise<TestDatabase> {
  const env = cassandraEnv();
  const { host, port, user, password } = env;
  const name = freshName();
  const client = new CassandraClient({
    contactPoints: [host],
    protocolOptions: { port },
    localDataCenter: 'datacenter1',
    authProvider: new auth.PlainTextAuthProvider(user, password),
  });
  await client.execute(
    `CREATE KEYSPACE ${name} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
  );
  await client.execute(`USE ${name}`);
  return {
    name,
    settings: (fromContainer) => {
      const { CASSANDRA_DATABASE: keyspace, ...others } = settings('CASSANDRA', env, name)(fromContainer);
      return { ...others, CASSANDRA_KEYSPACE: keyspace! };
    },
    query: (cql) => client.execute(cql),
    drop: async () => {
      await client.execute(`DROP KEYSPACE ${name}`);
      await client.shutdown();
    },
  };
}

/** A database of documents, likewise. */
export interface DocumentDatabase extends Pick<TestDatabase, 'name' | 'settings' | 'drop'> {
  insert(collection: string, documents: readonly object[]): Promise<void>;
}

export async function createMongodb(): Promise<DocumentDatabase> {
  const env = mongoEnv();
  const { host, port, user, password } = env;
  const name = freshName();
  const client = new MongoClient(`mongodb://${host}:${port}/?directConnection=true`, {
    auth: { username: user, password },
    authSource: 'admin',
    // Else the driver would import it, which Jest's contexts do not allow.
    runtimeAdapters: { os },
  });
  await client.connect();
  const db = client.db(name);
  return {
    name,
    settings: settings('MONGO', env, name),
    insert: async (collection, documents) => {
      await db.collection(collection).insertMany(documents as never);
    },
    drop: async () => {
      await db.dropDatabase();
      await client.close();
    },
  };
}
