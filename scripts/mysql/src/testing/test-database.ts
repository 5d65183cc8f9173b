import { randomBytes } from 'node:crypto';
import type { SourceContext, SourceEnv, SourceSession, SourceTable, TableSelection } from '@ingesta/kit';
import { type Connection, createConnection } from 'mysql2/promise';
import { mysqlEnv } from '../../../../test/services/need';
import { parseCsv } from '../../../kit/src/testing/parse-csv';
import { mysql } from '../source';

/** A database of a test file's own, with an administrator's connection to it. */
export interface TestDatabase {
  readonly name: string;
  readonly admin: Connection;
  readonly isMariaDb: boolean;
  /** Opens a session of the source; `tables()` was asked already. */
  open(changes?: Record<string, string>): Promise<Opened>;
  drop(): Promise<void>;
}

/** A session with what it told. */
interface Opened {
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
export function sourceEnv(database: string): Record<string, string> {
  const { host, port, user, password } = mysqlEnv();
  return {
    MYSQL_HOST: host,
    MYSQL_PORT: String(port),
    MYSQL_USER: user,
    MYSQL_PASSWORD: password,
    MYSQL_DATABASE: database,
    MYSQL_CONNECT_TIMEOUT: '5',
  };
}

/** A context that keeps the warnings. */
export function testContext(warnings: string[] = []): { context: SourceContext; abort: AbortController } {
  const abort = new AbortController();
  const context: SourceContext = { signal: abort.signal, log: () => {}, warn: (message) => warnings.push(message) };
  return { context, abort };
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
    open: (changes) => open({ ...sourceEnv(name), ...changes }),
    drop: async () => {
      await admin.query(`DROP DATABASE ${name}`);
      await admin.end();
    },
  };
}

async function open(env: SourceEnv): Promise<Opened> {
  const warnings: string[] = [];
  const { context, abort } = testContext(warnings);
  const session = await mysql.connect(env, context);
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
