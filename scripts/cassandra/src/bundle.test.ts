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

  const text = 'abcdefghijklmno,'.repeat(MIB);
  const long = 'abcdefghij"klmno,ñ'.repeat(8);
  it.each<[string, string, number, unknown]>([
    ['text', 'text', 4, text],
    ['blob', 'blob', 2, Buffer.alloc(16 * MIB, 'a"')],
    ['map of one text', 'frozen<map<text, text>>', 2, { clave_larga: text }],
    ['map of many texts', 'frozen<map<int, text>>', 1, Object.fromEntries(Array(110_000).fill(long).entries())],
    // Of 24 bytes each in the CSV, half of that on the wire.
    ['list of instants', 'frozen<list<timestamp>>', 1, Array.from({ length: 700_000 }, (_, i) => new Date(i))],
    ['user-defined type', 'frozen<carta>', 2, { titulo: '🐘"', cuerpo: `🐘${text}` }],
  ])(
    'stays small with values of 16 MiB: %s',
    async (what, type, rows, value) => {
      await db.admin.execute('CREATE TYPE IF NOT EXISTS carta (titulo text, cuerpo text)');
      const table = `huge_${what.replace(/\W/g, '_')}`;
      await db.admin.execute(`CREATE TABLE ${table} (id int PRIMARY KEY, v ${type})`);
      for (let id = 0; id < rows; id++) {
        await db.admin.execute(`INSERT INTO ${table} (id, v) VALUES (?, ?)`, [id, value], { prepare: true });
      }
      const { exitCode, output, peakRss } = await run({ CASSANDRA_TABLES: table });
      expect({ exitCode, output }).toMatchObject({ exitCode: 0, output: { result: { [table]: { registros: rows } } } });
      expect(scriptResultSchema.parse(output).result[table]!.bytes).toBeGreaterThan(rows * 16 * MIB);
      // Systems other than Linux tell no peak.
      if (process.platform === 'linux') expect(peakRss).toBeGreaterThan(16 * MIB);
      expect(peakRss / 1e6).toBeLessThan(256);
    },
    120_000,
  );

  it('stays small where large rows follow many small ones', async () => {
    await db.admin.execute('CREATE TABLE mixed (p int, c int, t text, PRIMARY KEY (p, c))');
    const [small, large] = [6_000, 600];
    const heavy = 'abcdefgh'.repeat(32_000);
    const values = Array.from({ length: small + large }, (_, c) => [c, c < small ? 'x' : heavy]);
    await concurrent.executeConcurrent(db.admin, 'INSERT INTO mixed (p, c, t) VALUES (1, ?, ?)', values, {
      concurrencyLevel: 16,
    });
    const { exitCode, output, peakRss } = await run({ CASSANDRA_TABLES: 'mixed' });
    expect({ exitCode, output }).toMatchObject({
      exitCode: 0,
      output: { result: { mixed: { registros: small + large } } },
    });
    // As many rows as the page before had would be a page of 150 MB.
    expect(peakRss / 1e6).toBeLessThan(160);
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
