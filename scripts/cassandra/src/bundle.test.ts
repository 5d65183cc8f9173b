import { readdir } from 'node:fs/promises';
import { type AddressInfo, createServer, connect as netConnect, type Socket } from 'node:net';
import { scriptResultSchema } from '@ingesta/kit';
import { concurrent } from 'cassandra-driver';
import { describeWith } from '../../../test/services/need';
import { runBundle } from '../../kit/src/testing/run-bundle';
import { createTestKeyspace, sourceEnv, type TestKeyspace } from './testing/test-keyspace';

const MIB = 2 ** 20;

describeWith(['cassandra'], 'the Cassandra script, as it is shipped', () => {
  let db: TestKeyspace;
  beforeAll(async () => {
    db = await createTestKeyspace();
  });
  afterAll(() => db?.drop());
  /** How the program ended, and what lies in its lake then. */
  const run = (changes: Record<string, string>) =>
    runBundle('cassandra', { ...sourceEnv(db.name), ...changes }, async (ended, lake) => ({
      ...ended,
      files: await readdir(lake, { recursive: true }),
    }));

  it('stays small with values of 16 MiB', async () => {
    await db.admin.execute('CREATE TABLE huge (id int PRIMARY KEY, t text)');
    const value = 'abcdefghijklmno,'.repeat(MIB);
    for (let id = 0; id < 8; id++) {
      await db.admin.execute('INSERT INTO huge (id, t) VALUES (?, ?)', [id, value], { prepare: true });
    }
    const { exitCode, output, peakRss } = await run({ CASSANDRA_TABLES: 'huge' });
    expect({ exitCode, output }).toMatchObject({ exitCode: 0, output: { result: { huge: { registros: 8 } } } });
    expect(scriptResultSchema.parse(output).result.huge!.bytes).toBeGreaterThan(8 * 16 * MIB);
    // Systems other than Linux tell no peak.
    if (process.platform === 'linux') expect(peakRss).toBeGreaterThan(16 * MIB);
    expect(peakRss).toBeLessThan(256 * MIB);
  }, 120_000);

  it('ends with 69 and leaves nothing behind when the connection is cut in the middle of a table', async () => {
    await db.admin.execute('CREATE TABLE big (id int PRIMARY KEY, t text)');
    const values = Array.from({ length: 40_000 }, (_, id) => [id, 'x'.repeat(200)]);
    await concurrent.executeConcurrent(db.admin, 'INSERT INTO big (id, t) VALUES (?, ?)', values, {
      concurrencyLevel: 256,
    });
    const { CASSANDRA_HOST, CASSANDRA_PORT } = sourceEnv(db.name);
    const clients: Socket[] = [];
    let passed = 0;
    const proxy = createServer((client) => {
      clients.push(client.on('error', () => {}));
      const server = netConnect(Number(CASSANDRA_PORT), CASSANDRA_HOST!).on('error', () => {});
      client.pipe(server);
      server.on('data', (data) => {
        passed += data.length;
        if (passed < 2_000_000) client.write(data);
        else for (const each of clients) each.destroy();
      });
      client.once('close', () => server.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.once('listening', resolve));
    const port = String((proxy.address() as AddressInfo).port);
    const { exitCode, output, files } = await run({ CASSANDRA_PORT: port, CASSANDRA_TABLES: 'big' });
    proxy.close();
    expect(passed).toBeGreaterThan(2_000_000);
    expect({ exitCode, output }).toMatchObject({
      exitCode: 69,
      output: { status: 'error', error: { code: 'SOURCE_UNAVAILABLE', message: expect.stringContaining('Table big') } },
    });
    expect(files.filter((name) => name.includes('big'))).toEqual([]);
  }, 120_000);
});
