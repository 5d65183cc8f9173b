import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestKeyspace, sourceEnv } from '../../../scripts/cassandra/src/testing/test-keyspace';
import { TestDatabase as MongoDatabase } from '../../../scripts/mongodb/src/testing/test-database';
import { createMysql, createPostgresql, type TestDatabase } from '../../e2e/harness/databases';
import { SAMPLE_SQL } from '../../e2e/sample-tables';
import { cassandraEnv, mongoEnv } from '../../services/need';
import type { ServiceName } from '../../services/service';

/** A database of two tables, one with a password in it. */
export interface GivenSource {
  settings(fromContainer: boolean): Record<string, string>;
  drop(): Promise<void>;
}

/** One of the sources in `scripts/`, and how to give it something to export. */
export interface ShippedSource {
  readonly source: string;
  readonly services: readonly ServiceName[];
  give(): Promise<GivenSource>;
  /** What cannot be checked of it. */
  readonly unchecked: readonly string[];
}

const sql = (create: () => Promise<TestDatabase>) => async (): Promise<GivenSource> => {
  const database = await create();
  for (const statement of SAMPLE_SQL) await database.query(statement);
  return database;
};

async function giveMongodb(): Promise<GivenSource> {
  const database = await MongoDatabase.create();
  await database.insert('users', [
    { nombre: 'Ñandú "Ana"', password: 'CANARY', contacto: { token: 'CANARY', tel: '1' } },
  ]);
  await database.insert('items', [{ amount: 1 }, { amount: null }]);
  const { dockerHost } = mongoEnv();
  return {
    settings: (fromContainer) => ({ ...database.env, ...(fromContainer ? { MONGO_HOST: dockerHost } : {}) }),
    drop: () => database.drop(),
  };
}

async function giveCassandra(): Promise<GivenSource> {
  const keyspace = await createTestKeyspace();
  await keyspace.admin.execute('CREATE TABLE users (id int PRIMARY KEY, nombre text, password text)');
  await keyspace.admin.execute(`INSERT INTO users (id, nombre, password) VALUES (1, 'Ñandú "Ana"', 'CANARY')`);
  await keyspace.admin.execute('CREATE TABLE items (id int PRIMARY KEY, amount decimal)');
  // The administrator's password is an ordinary word, which could stand anywhere.
  const [role, password] = [keyspace.name.replace(/^\w+_/, 'reader_'), randomUUID()];
  await keyspace.admin.execute(
    `CREATE ROLE ${role} WITH PASSWORD = '${password}' AND LOGIN = true AND SUPERUSER = true`,
  );
  const { dockerHost } = cassandraEnv();
  return {
    settings: (fromContainer) => ({
      ...sourceEnv(keyspace.name),
      CASSANDRA_USER: role,
      CASSANDRA_PASSWORD: password,
      ...(fromContainer ? { CASSANDRA_HOST: dockerHost } : {}),
    }),
    drop: async () => {
      await keyspace.admin.execute(`DROP ROLE ${role}`);
      await keyspace.drop();
    },
  };
}

async function giveFiles(): Promise<GivenSource> {
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-delivery-'));
  await writeFile(join(folder, 'users.csv'), 'id,nombre,password\n1,"Ñandú ""Ana""",CANARY\n');
  // Large enough to be met in the middle.
  await writeFile(join(folder, 'items.jsonl'), '{"amount":1,"at":"2025-01-02"}\n'.repeat(1_200_000));
  return {
    settings: () => ({ FILES_PATH: folder }),
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Every source that the project ships. */
export const SHIPPED: readonly ShippedSource[] = [
  { source: 'postgresql', services: ['postgresql'], give: sql(createPostgresql), unchecked: [] },
  { source: 'mysql', services: ['mysql'], give: sql(createMysql), unchecked: [] },
  { source: 'mongodb', services: ['mongodb'], give: giveMongodb, unchecked: [] },
  { source: 'cassandra', services: ['cassandra'], give: giveCassandra, unchecked: [] },
  // There is no server behind it, no query, and no password.
  { source: 'files', services: [], give: giveFiles, unchecked: ['datasets', 'exit 69', 'lost', 'exit 77'] },
];
