import { randomBytes } from 'node:crypto';
import * as os from 'node:os';
import {
  type SourceEnv,
  type SourceSession,
  type SourceTable,
  sensitiveRules,
  type TableSelection,
} from '@ingesta/kit';
import { type Db, MongoClient } from 'mongodb';
import { mongoEnv } from '../../../../test/services/need';
import { settled } from '../../../../test/settled';
import { allTables } from '../../../kit/src/testing/all-tables';
import { parseCsv } from '../../../kit/src/testing/parse-csv';
import { testContext } from '../../../kit/src/testing/test-context';
import { mongodb } from '../source';

/** A database of a test's own, its administrator's client, and the settings that lead there. */
export class TestDatabase {
  private constructor(
    readonly client: MongoClient,
    readonly db: Db,
    readonly env: SourceEnv,
  ) {}

  /** On the server that all tests share, or on another one that `startMongod` started. */
  static async create(server?: NodeJS.ProcessEnv): Promise<TestDatabase> {
    const { host, port, user, password } = mongoEnv(server);
    const client = new MongoClient(`mongodb://${host}:${port}/?directConnection=true`, {
      auth: { username: user, password },
      authSource: 'admin',
      serverSelectionTimeoutMS: 30_000,
      runtimeAdapters: { os },
    });
    await client.connect();
    const db = client.db(`ingesta_${randomBytes(6).toString('hex')}`);
    return new TestDatabase(client, db, {
      MONGO_HOST: host,
      MONGO_PORT: String(port),
      MONGO_USER: user,
      MONGO_PASSWORD: password,
      MONGO_DATABASE: db.databaseName,
      MONGO_CONNECT_TIMEOUT: '30',
    });
  }

  /** Documents with `_id`s of any type. */
  async insert(collection: string, documents: readonly object[]): Promise<void> {
    await this.db.collection(collection).insertMany(documents as never);
  }

  /** The same of one large document: the server's cache is small here, and may have to write others away first. */
  async insertLarge(collection: string, document: object): Promise<void> {
    const outcome = () =>
      this.insert(collection, [document]).then(
        () => null,
        (error: unknown) => error,
      );
    const failure = await settled(outcome, (error) => !/storage engine cache/.test(String(error)));
    if (failure !== null) throw failure;
  }

  /** Ids of the cursors of this database that the server still holds. */
  async cursors(): Promise<string[]> {
    const pipeline = [
      { $currentOp: { idleCursors: true } },
      { $match: { 'cursor.cursorId': { $exists: true }, ns: { $regex: `^${this.db.databaseName}\\.` } } },
    ];
    const found = await this.client.db('admin').aggregate(pipeline).toArray();
    return found.map(({ cursor }) => String(cursor.cursorId));
  }

  async drop(): Promise<void> {
    await this.db.dropDatabase();
    await this.client.close();
  }
}

/** The selection as `runScript` makes it: the built-in sensitive rules applied. */
export function selectionOf(table: SourceTable): TableSelection {
  const rules = sensitiveRules('mongodb', {});
  const isSensitiveKey = (path: readonly string[]) => rules.reason(table.name, path) !== null;
  return { table, columns: table.columns.filter(({ name }) => !isSensitiveKey([name])), isSensitiveKey };
}

export interface Exported {
  csv: Buffer;
  rows: number;
  /** Parsed, without the header. */
  records: (string | null)[][];
  selection: TableSelection;
}

/** The collection's whole CSV, over a session that knows it. */
export async function readAll(session: SourceSession, table: SourceTable): Promise<Exported> {
  const selection = selectionOf(table);
  session.check?.(selection);
  const pieces: Buffer[] = [];
  let rows = 0;
  for await (const chunk of session.read(selection)) {
    pieces.push(chunk.data);
    rows += chunk.rows;
  }
  const csv = Buffer.concat(pieces);
  return { csv, rows, records: parseCsv(csv.toString()).slice(1), selection };
}

/** The same over a session of its own. */
export async function exportCollection(env: SourceEnv, name: string) {
  const context = testContext();
  const session = await mongodb.connect(env, context);
  try {
    const table = (await allTables(session)).find((candidate) => candidate.name === name);
    if (!table) throw new Error(`no collection ${name}`);
    const exported = await readAll(session, table);
    return { ...exported, consistency: session.consistency, warnings: context.warnings };
  } finally {
    await session.close();
  }
}
