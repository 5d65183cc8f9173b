import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, connect as netConnect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { concurrent } from 'cassandra-driver';
import { describeWith } from '../../../test/services/need';
import description from '../source.json';
import { createTestKeyspace, sourceEnv, type TestKeyspace } from './testing/test-keyspace';

const FOLDER = join(__dirname, '..');
const POLL_MS = 10;
const MIB = 2 ** 20;

/** The program as people run it, and the most memory it had, in bytes (0 where the system does not tell). */
async function run(env: Record<string, string>) {
  const child = spawn(process.execPath, description.command.slice(1), {
    cwd: FOLDER,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let most = 0;
  const watch = setInterval(() => {
    const status = `/proc/${child.pid}/status`;
    if (!existsSync(status)) return;
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(status, 'utf8'));
    most = Math.max(most, Number(peak?.[1] ?? 0) * 1024);
  }, POLL_MS);
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await exit;
  clearInterval(watch);
  return { code, output: JSON.parse(stdout), peak: most };
}

describeWith(['cassandra'], 'the Cassandra script, as it is shipped', () => {
  let db: TestKeyspace;
  let lake: string;
  beforeAll(async () => {
    db = await createTestKeyspace();
    lake = await mkdtemp(join(tmpdir(), 'ingesta-cassandra-lake-'));
  });
  afterAll(async () => {
    await db?.drop();
    if (lake) await rm(lake, { recursive: true, force: true });
  });
  const settings = (changes: Record<string, string>) => ({
    ...sourceEnv(db.name),
    LAKE_URL: pathToFileURL(lake).href,
    ...changes,
  });

  it('stays small with values of 16 MiB', async () => {
    await db.admin.execute('CREATE TABLE huge (id int PRIMARY KEY, t text)');
    const value = 'abcdefghijklmno,'.repeat(MIB);
    for (let id = 0; id < 8; id++) {
      await db.admin.execute('INSERT INTO huge (id, t) VALUES (?, ?)', [id, value], { prepare: true });
    }
    const { code, output, peak } = await run(settings({ CASSANDRA_TABLES: 'huge' }));
    expect({ code, output }).toMatchObject({ code: 0, output: { result: { huge: { registros: 8 } } } });
    expect(output.result.huge.bytes).toBeGreaterThan(8 * 16 * MIB);
    // Systems other than Linux tell no peak.
    if (process.platform === 'linux') expect(peak).toBeGreaterThan(16 * MIB);
    expect(peak).toBeLessThan(256 * MIB);
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
    const { code, output } = await run(settings({ CASSANDRA_PORT: port, CASSANDRA_TABLES: 'big' }));
    proxy.close();
    expect(passed).toBeGreaterThan(2_000_000);
    expect({ code, output }).toMatchObject({
      code: 69,
      output: { status: 'error', error: { code: 'SOURCE_UNAVAILABLE', message: expect.stringContaining('Table big') } },
    });
    const left = (await readdir(lake, { recursive: true })).filter((name) => name.includes('big'));
    expect(left).toEqual([]);
  }, 120_000);
});
