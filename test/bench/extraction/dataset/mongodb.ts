import { randomUUID } from 'node:crypto';
import * as os from 'node:os';
import { mongoEnv } from '../../../services/need';
import type { LoadedTable } from './loaded-table';
import { eachRow, type Row, TABLE } from './row';

const BATCH = 5_000;

/** Loads the collection by `insertMany`, unordered. */
export async function loadMongodb(rows: number): Promise<LoadedTable> {
  const { Binary, Decimal128, Double, Int32, Long, MongoClient, UUID } = await import('mongodb');
  const env = mongoEnv();
  const { host, port, user, password, dockerHost } = env;
  const database = `bench_${randomUUID().slice(0, 8)}`;
  // Else the driver would import it, which Jest's contexts do not allow.
  const runtimeAdapters = { os };
  const login = { auth: { username: user, password }, authSource: 'admin', runtimeAdapters };
  const client = new MongoClient(`mongodb://${host}:${port}/?directConnection=true`, login);
  const toDocument = (row: Row) => ({
    _id: new Int32(row.id),
    account: Long.fromBigInt(row.account),
    amount: Decimal128.fromString(row.amount),
    ratio: new Double(row.ratio),
    active: row.active,
    born: new Date(`${row.born}T00:00:00Z`),
    seen: new Date(`${row.seen.replace(' ', 'T')}Z`),
    reference: new UUID(row.reference),
    code: row.code,
    note: row.note,
    attributes: row.attributes,
    payload: row.payload === null ? null : new Binary(Buffer.from(row.payload, 'hex')),
  });
  const drop = async () => {
    await client.db(database).dropDatabase();
    await client.close(true);
  };
  try {
    // Without documents, too: an insert alone would leave no collection of an empty series.
    const collection = await client.db(database).createCollection<ReturnType<typeof toDocument>>(TABLE);
    let batch: ReturnType<typeof toDocument>[] = [];
    const insert = async () => {
      if (batch.length > 0) await collection.insertMany(batch, { ordered: false, writeConcern: { w: 1, j: false } });
      batch = [];
    };
    for (const row of eachRow(rows)) {
      batch.push(toDocument(row));
      if (batch.length === BATCH) await insert();
    }
    await insert();
    // Written out now rather than while somebody is measured.
    await client.db('admin').command({ fsync: 1 });
    // Reading ten million takes longer than the 300 s for which the server keeps the past by itself.
    await client.db('admin').command({ setParameter: 1, minSnapshotHistoryWindowInSeconds: 3600 });
  } catch (error) {
    await drop();
    throw error;
  }
  return {
    rows,
    database,
    server: env,
    settings: (fromContainer) => ({
      MONGO_HOST: fromContainer ? dockerHost : host,
      MONGO_PORT: String(port),
      MONGO_USER: user,
      MONGO_PASSWORD: password,
      MONGO_DATABASE: database,
    }),
    drop,
  };
}
