import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { pgEnv } from '../../services/need';

/**
 * A PostgreSQL database of two tables that always tell the same generation, in one transaction each: a snapshot in which
 * they differ is a mixed one.
 */
export interface Shop {
  readonly name: string;
  readonly address: { readonly host: string; readonly port: number };
  /** What a script needs to read it at `host` and `port`; every name starts with `prefix`. */
  settings(host: string, port: number, prefix?: string): Record<string, string>;
  query(sql: string): Promise<unknown>;
  /** The next generation, in both tables at once. */
  advance(): Promise<void>;
  /** Makes every export wait where it reads `payments`, until what it gives is called, which does `last` before. */
  hold(last?: string): Promise<() => Promise<void>>;
  drop(): Promise<void>;
}

export async function createShop(rows = 20): Promise<Shop> {
  const { host, port, user, password } = pgEnv();
  const name = `faults_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  const connect = async (database: string) => {
    const client = new Client({ host, port, user, password, database });
    // Whoever still holds a lock when the database is dropped is thrown out.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const admin = await connect('postgres');
  await admin.query(`CREATE DATABASE ${name}`);
  const client = await connect(name);
  for (const table of ['orders', 'payments']) {
    await client.query(`CREATE TABLE ${table} AS SELECT id, 0 AS generation FROM generate_series(1, ${rows}) AS id`);
  }
  return {
    name,
    address: { host, port },
    settings: (at, atPort, prefix = '') => ({
      [`${prefix}POSTGRES_HOST`]: at,
      [`${prefix}POSTGRES_PORT`]: String(atPort),
      [`${prefix}POSTGRES_USER`]: user,
      [`${prefix}POSTGRES_PASSWORD`]: password,
      [`${prefix}POSTGRES_DATABASE`]: name,
    }),
    query: (sql) => client.query(sql),
    advance: async () => {
      await client.query(
        'BEGIN; UPDATE orders SET generation = generation + 1; UPDATE payments SET generation = generation + 1; COMMIT',
      );
    },
    hold: async (last) => {
      const holder = await connect(name);
      await holder.query('BEGIN; LOCK TABLE payments IN ACCESS EXCLUSIVE MODE');
      return async () => {
        if (last !== undefined) await holder.query(`${last}; COMMIT`);
        await holder.end();
      };
    },
    drop: async () => {
      await client.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}
