import { Client, concurrent, types } from 'cassandra-driver';
import { type CassandraRing, startRing } from '../../../test/services/cassandra';
import { describeWith } from '../../../test/services/need';
import { openSession } from '../../kit/src/testing/open-session';
import { parseCsv } from '../../kit/src/testing/parse-csv';
import { cassandra } from './source';

const PARTITIONS = 2_000;
const PER_PARTITION = 10;
const ROWS = PARTITIONS * PER_PARTITION;
const SECOND = '127.0.0.2';
const THIRD = '127.0.0.3';

/** Needs more than one address of this machine's own, which Linux alone has without being told. */
const describeOnLinux: typeof describeWith =
  process.platform === 'linux' ? describeWith : (_, title, fn) => describe.skip(title, fn);

describeOnLinux(['cassandra'], 'a Cassandra ring of three nodes with virtual nodes', () => {
  let ring: CassandraRing | undefined;
  let admin: Client;
  beforeAll(async () => {
    ring = await startRing();
    if (!ring) throw new Error('The jars of Cassandra are not here: run with INGESTA_TEST_INSTALL=1');
    admin = new Client({
      contactPoints: [SECOND],
      // On a busy machine a node may learn late of a keyspace.
      protocolOptions: { port: ring.port, maxSchemaAgreementWaitSeconds: 120 },
      localDataCenter: 'datacenter1',
      queryOptions: { consistency: types.consistencies.all, prepare: true },
      socketOptions: { readTimeout: 60_000 },
    });
    const text = 'x'.repeat(200);
    for (const [keyspace, copies] of [
      ['spread', 1],
      ['copied', 3],
    ] as const) {
      const replication = `{'class': 'SimpleStrategy', 'replication_factor': ${copies}}`;
      await admin.execute(`CREATE KEYSPACE ${keyspace} WITH replication = ${replication}`);
      await admin.execute(`CREATE TABLE ${keyspace}.rows (p int, c int, t text, PRIMARY KEY (p, c))`);
      const insert = `INSERT INTO ${keyspace}.rows (p, c, t) VALUES (?, ?, ?)`;
      const values = Array.from({ length: ROWS }, (_, i) => [Math.floor(i / PER_PARTITION), i % PER_PARTITION, text]);
      await concurrent.executeConcurrent(admin, insert, values, { concurrencyLevel: 64 });
    }
  }, 300_000);
  afterAll(async () => {
    await admin?.shutdown();
    await ring?.stop();
  });

  const open = (keyspace: string, hosts: string, changes: Record<string, string> = {}) =>
    openSession(cassandra, {
      CASSANDRA_HOST: hosts,
      CASSANDRA_PORT: String(ring!.port),
      CASSANDRA_KEYSPACE: keyspace,
      ...changes,
    });
  const expectEveryRowOnce = (rows: (string | null)[][]) => {
    expect(rows).toHaveLength(ROWS);
    expect(new Set(rows.map(([p, c]) => `${p}/${c}`)).size).toBe(ROWS);
  };

  it('gives each row once, though each node has a third of them', async () => {
    const execute = jest.spyOn(Client.prototype, 'execute');
    const { session, rows } = await open('spread', '127.0.0.1');
    expectEveryRowOnce(await rows('rows'));
    await session.close();
    const ranges = new Set(
      execute.mock.calls.filter(([query]) => query.includes('token(')).map(([, of]) => String(of)),
    );
    execute.mockRestore();
    // The borders of 3 × 8 tokens cut the ring, and so does its end.
    expect(ranges.size).toBe(25);
  });

  it('is found by whichever contact point answers', async () => {
    // Nobody has this address of the machine's own.
    const { session, rows } = await open('spread', `127.0.0.9, ${THIRD}`);
    expectEveryRowOnce(await rows('rows'));
    await session.close();
    await expect(open('spread', '127.0.0.9')).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', exitCode: 69 });
  });

  // The last ones: a node that was killed stays away.
  it('loses no row and brings none twice when a node dies on the way and the others have copies', async () => {
    const { session, select } = await open('copied', `127.0.0.1,${SECOND}`, { CASSANDRA_PAGE_SIZE: '200' });
    const parts: Buffer[] = [];
    for await (const { data } of session.read(select('rows'))) {
      if (parts.length === 2) await ring!.nodes.get(THIRD)!.stop();
      parts.push(Buffer.from(data));
    }
    await session.close();
    expect(parts.length).toBeGreaterThan(10);
    expectEveryRowOnce(parseCsv(Buffer.concat(parts).toString()).slice(1));
  }, 120_000);

  it('is not complete without a node that has rows of its own, and says so', async () => {
    const { session, rows } = await open('spread', SECOND);
    await expect(rows('rows')).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      exitCode: 69,
      message: expect.stringContaining('Table rows'),
    });
    await session.close();
  }, 120_000);
});
