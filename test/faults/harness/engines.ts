import { createCassandra, createMongodb, createMysql, createPostgresql } from '../../e2e/harness/databases';
import { startTcpHop, type TcpHop } from './tcp-hop';
import type { World } from './world';

const ROWS = 3_000;
const TEXT = 'x'.repeat(1_000);

/** A database of one engine, with some megabytes in `ledger`, behind a relay. */
export interface FaultEngine {
  readonly hop: TcpHop;
  readonly settings: Record<string, string>;
  /** In the engine's own language; MongoDB has none here. */
  query(text: string): Promise<unknown>;
}

type Open = () => Promise<{
  settings(fromContainer: boolean): Record<string, string>;
  query?(text: string): Promise<unknown>;
  fill(): Promise<unknown>;
  drop(): Promise<void>;
}>;

const OPEN: Record<EngineName, { prefix: string; open: Open }> = {
  postgresql: {
    prefix: 'POSTGRES',
    open: async () => {
      const database = await createPostgresql();
      const fill = () =>
        database.query(`CREATE TABLE ledger AS SELECT id, '${TEXT}' AS text FROM generate_series(1, ${ROWS}) AS id`);
      return { ...database, fill };
    },
  },
  mysql: {
    prefix: 'MYSQL',
    open: async () => {
      const database = await createMysql();
      const values = Array.from({ length: ROWS }, (_, id) => `(${id}, '${TEXT}')`).join();
      const fill = () =>
        database.query(`CREATE TABLE ledger (id INT PRIMARY KEY, text TEXT); INSERT INTO ledger VALUES ${values}`);
      return { ...database, fill };
    },
  },
  mongodb: {
    prefix: 'MONGO',
    open: async () => {
      const database = await createMongodb();
      const documents = Array.from({ length: ROWS }, (_, id) => ({ id, text: TEXT }));
      return { ...database, fill: () => database.insert('ledger', documents) };
    },
  },
  cassandra: {
    prefix: 'CASSANDRA',
    open: async () => {
      const database = await createCassandra();
      const fill = async () => {
        await database.query('CREATE TABLE ledger (id int PRIMARY KEY, text text)');
        for (let id = 0; id < ROWS; ) {
          const rows = Array.from({ length: 40 }, () => `INSERT INTO ledger (id, text) VALUES (${id++}, '${TEXT}');`);
          await database.query(`BEGIN UNLOGGED BATCH ${rows.join(' ')} APPLY BATCH`);
        }
      };
      return { ...database, fill };
    },
  },
};

export type EngineName = 'postgresql' | 'mysql' | 'mongodb' | 'cassandra';

/** Opens and fills one; it goes with the world. */
export async function openEngine(world: World, name: EngineName): Promise<FaultEngine> {
  const { prefix, open } = OPEN[name];
  const database = await open();
  world.atEnd(() => database.drop());
  await database.fill();
  const direct = database.settings(false);
  const hop = await startTcpHop(direct[`${prefix}_HOST`]!, Number(direct[`${prefix}_PORT`]));
  world.atEnd(() => hop.close());
  return {
    hop,
    settings: { ...direct, [`${prefix}_HOST`]: '127.0.0.1', [`${prefix}_PORT`]: String(hop.port) },
    query: database.query ?? (() => Promise.reject(new Error(`${name} has no query language here`))),
  };
}
