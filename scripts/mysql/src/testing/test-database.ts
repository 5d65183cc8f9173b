import { randomBytes } from 'node:crypto';
import type { TableSelection } from '@ingesta/kit';
import { type Connection, createConnection } from 'mysql2/promise';
import { mysqlEnv } from '../../../../test/services/need';
import { type Opened, openSession } from '../../../kit/src/testing/open-session';
import { mysql } from '../source';

/** A session whose rows can be read without what is sensitive in them. */
interface OpenedDatabase extends Opened {
  /** Parsed, without the header. */
  read(table: string, isSensitiveKey?: TableSelection['isSensitiveKey']): Promise<(string | null)[][]>;
}

/** A database of a test file's own, with an administrator's connection to it. */
export interface TestDatabase {
  readonly name: string;
  readonly admin: Connection;
  readonly isMariaDb: boolean;
  /** Opens a session of the source; its tables are described already, and what is named. */
  open(changes?: Record<string, string>, onDemand?: readonly string[]): Promise<OpenedDatabase>;
  drop(): Promise<void>;
}

/** Settings that reach the test server. */
export function sourceEnv(database: string): Record<string, string> {
  const { host, port, user, password } = mysqlEnv();
  return {
    MYSQL_HOST: host,
    MYSQL_PORT: String(port),
    MYSQL_USER: user,
    MYSQL_PASSWORD: password,
    MYSQL_DATABASE: database,
    MYSQL_CONNECT_TIMEOUT: '30',
  };
}

/** Creates an empty database and connects to it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { host, port, user, password } = mysqlEnv();
  const admin = await createConnection({ host, port, user, password, charset: 'utf8mb4', multipleStatements: true });
  const name = `mysql_source_${randomBytes(5).toString('hex')}`;
  await admin.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4; USE ${name}; SET time_zone = '+00:00'`);
  const [rows] = await admin.query('SELECT VERSION() AS version');
  return {
    name,
    admin,
    isMariaDb: /mariadb/i.test((rows as { version: string }[])[0]!.version),
    open: (changes, onDemand) => open({ ...sourceEnv(name), ...changes }, onDemand ?? []),
    drop: async () => {
      await admin.query(`DROP DATABASE ${name}`);
      await admin.end();
    },
  };
}

async function open(env: Record<string, string>, onDemand: readonly string[]): Promise<OpenedDatabase> {
  const opened = await openSession(mysql, env, (table) => !table.onDemand || onDemand.includes(table.name));
  const read: OpenedDatabase['read'] = (table, isSensitiveKey) =>
    opened.readAll(opened.select(table, undefined, isSensitiveKey));
  return { ...opened, read };
}
