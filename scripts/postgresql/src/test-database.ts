import { randomBytes } from 'node:crypto';
import {
  type Column,
  type SourceContext,
  type SourceEnv,
  type SourceSession,
  type SourceTable,
  sensitiveRules,
} from '@ingesta/kit';
import { Client, type Connection, type Submittable } from 'pg';
import { pgEnv } from '../../../test/services/need';
import { testContext } from '../../kit/src/testing/test-context';
import { postgresql } from './source';

/** A database of a test's own, its administrator's connection, and the settings that lead there. */
export class TestDatabase {
  private constructor(
    readonly name: string,
    readonly admin: Client,
    readonly env: SourceEnv,
  ) {}

  static async create(): Promise<TestDatabase> {
    const name = `ingesta_test_${randomBytes(6).toString('hex')}`;
    await onServer((client) => client.query(`CREATE DATABASE ${name}`));
    const { host, port, user, password } = pgEnv();
    const admin = new Client({ host, port, user, password, database: name });
    await admin.connect();
    return new TestDatabase(name, admin, {
      POSTGRES_HOST: host,
      POSTGRES_PORT: String(port),
      POSTGRES_USER: user,
      POSTGRES_PASSWORD: password,
      POSTGRES_DB: name,
    });
  }

  /** Backends of the script under test that are still there, and how long their query has run. */
  async backends(): Promise<{ pid: number; wait_event: string | null; seconds: number }[]> {
    const { rows } = await this.admin.query(
      `SELECT pid, wait_event, date_part('epoch', clock_timestamp() - query_start) AS seconds
       FROM pg_stat_activity WHERE datname = $1 AND application_name = 'ingesta'`,
      [this.name],
    );
    return rows;
  }

  /** Loads CSV bytes as PostgreSQL's own CSV reader takes them; the table has nothing but text columns. */
  copyIn(table: string, csv: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.admin.query(new CopyIn(`COPY ${table} FROM STDIN (FORMAT csv, HEADER)`, csv, resolve, reject));
    });
  }

  async drop(): Promise<void> {
    await this.admin.end();
    await onServer((client) => client.query(`DROP DATABASE ${this.name} WITH (FORCE)`));
  }
}

/** The selection as `runScript` makes it: the built-in sensitive rules applied. */
export function selectionOf(table: SourceTable) {
  const rules = sensitiveRules('postgresql', {});
  const isSensitive = (path: readonly string[]) => rules.reason(table.name, path) !== null;
  const columns: Column[] = table.columns.filter((column) => !isSensitive([column.name]));
  return { table, columns, isSensitiveKey: isSensitive };
}

/** A CSV, and what the manifest would say of it. */
export interface ReadTable {
  csv: Buffer;
  rows: number;
  columns: Column[];
}

/** The table's whole CSV, over a session that knows it. */
export async function readAll(session: SourceSession, name: string): Promise<ReadTable> {
  const known = (await session.list()).some((listed) => listed.name === name);
  if (!known) throw new Error(`no table ${name}`);
  const [table] = await session.describe([name]);
  return readTable(session, table!);
}

/** The same of a table or dataset that was described before. */
export async function readTable(session: SourceSession, table: SourceTable): Promise<ReadTable> {
  const pieces: Buffer[] = [];
  let rows = 0;
  const selection = selectionOf(table);
  for await (const chunk of session.read(selection)) {
    pieces.push(chunk.data);
    rows += chunk.rows;
  }
  return { csv: Buffer.concat(pieces), rows, columns: selection.columns };
}

/** The same over a session of its own. */
export async function exportTable(env: SourceEnv, name: string, change: Partial<SourceContext> = {}) {
  const context = testContext(change);
  const session = await postgresql.connect(env, context);
  try {
    return { ...(await readAll(session, name)), warnings: context.warnings };
  } finally {
    await session.close();
  }
}

async function onServer<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const { host, port, user, password } = pgEnv();
  const client = new Client({ host, port, user, password, database: 'postgres' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

type CopyConnection = Connection & { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void };

class CopyIn implements Submittable {
  constructor(
    readonly sql: string,
    readonly data: Buffer,
    readonly resolve: () => void,
    readonly reject: (error: unknown) => void,
  ) {}

  submit(connection: Connection): void {
    connection.query(this.sql);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(this.data);
    connection.endCopyFrom();
  }

  handleCommandComplete(): void {}

  handleError(error: unknown): void {
    this.reject(error);
  }

  handleReadyForQuery(): void {
    this.resolve();
  }
}
