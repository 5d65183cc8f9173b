import { randomUUID } from 'node:crypto';
import { auth, Client } from 'cassandra-driver';
import { cassandraEnv, describeWith } from '../../test/services/need';
import { generate } from './insurance/generate';
import type { Connection } from './load';
import { createKeyspace, loadCassandra } from './load-cassandra';

describeWith(['cassandra'], 'the sample in Cassandra', () => {
  const database = `sample_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  const connection = (): Connection => ({ ...cassandraEnv(), database });
  let client: Client;
  beforeAll(async () => {
    const { host, port, user, password } = cassandraEnv();
    client = new Client({
      contactPoints: [host],
      protocolOptions: { port },
      localDataCenter: 'datacenter1',
      authProvider: new auth.PlainTextAuthProvider(user, password),
    });
    await createKeyspace(connection());
    await createKeyspace(connection()); // Twice is as good as once.
  });
  afterAll(async () => {
    await client?.execute(`DROP KEYSPACE IF EXISTS ${database}`);
    await client?.shutdown();
  });

  /** A row as the generator writes it: Cassandra knows no empty collections. */
  const plain = (row: Record<string, unknown>): Record<string, unknown> => {
    const texts = Object.entries(row).map(([column, value]) => {
      if (value === null) return [column, column === 'documentos' ? [] : column === 'detalle' ? {} : null];
      if (value instanceof Date) return [column, value.toISOString()];
      return [column, typeof value === 'object' && /^(?!documentos|detalle)/.test(column) ? String(value) : value];
    });
    return Object.fromEntries(texts);
  };
  const keyOf = (row: Record<string, unknown>) => String(row.id ?? row.ts);
  const sorted = (rows: Record<string, unknown>[]) => rows.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const expectContent = async (scale: number, seed?: number): Promise<void> => {
    for (const [table, rows] of Object.entries(generate(scale, seed).cassandra)) {
      const found: Record<string, unknown>[] = [];
      for await (const row of await client.execute(`SELECT * FROM ${database}.${table}`, [], { prepare: true })) {
        found.push(plain(Object.fromEntries(row.keys().map((name) => [name, row[name]]))));
      }
      expect(sorted(found)).toEqual(sorted([...(rows() as Iterable<object>)].map((row) => ({ ...row }))));
    }
  };

  it('is what the generator made, value by value, also when loaded again with other rows', async () => {
    await loadCassandra(connection(), { scale: 0.2, seed: 5 });
    await expectContent(0.2, 5);
    const loaded = await loadCassandra(connection());
    await expectContent(1);
    expect(loaded).toMatchObject({ reclamos: expect.any(Number), pagos: expect.any(Number) });
  }, 120_000);

  it('never replaces tables that it did not make', async () => {
    await client.execute(`DROP TABLE IF EXISTS ${database}.pagos`);
    await client.execute(`CREATE TABLE ${database}.pagos (precious int PRIMARY KEY)`);
    await expect(loadCassandra(connection())).rejects.toThrow('tables of its own named pagos');
  });
});
