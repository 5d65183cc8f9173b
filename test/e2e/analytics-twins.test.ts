import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startTestGateway, type TestGateway } from './harness/gateway';

const SCHEMA = 'CREATE TABLE shop_orders (id bigint);\n';
const ROUTE = `-- route: /shop/orders
-- summary: How many there are
-- tables: shop.orders

-- name: total :value
SELECT count(*) AS total FROM shop_orders
`;

describe('columnar twins', () => {
  let folder: string;
  let twins: string;
  let gateway: TestGateway;
  let start: () => Promise<TestGateway>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-twins-'));
    twins = join(folder, 'lake/_ingesta/parquet');
    const files = { 'packs/shop/schema.sql': SCHEMA, 'packs/shop/orders.sql': ROUTE, 'in/notes.csv': 'text\nx\n' };
    for (const [name, text] of Object.entries(files)) await put(name, text);
    await deliver(2);
    start = () =>
      startTestGateway({
        ...{ LAKE_URL: pathToFileURL(join(folder, 'lake')).href, RUNNER: 'process', PACKS: 'none' },
        ...{ SOURCES: 'shop=files:SHOP_', SHOP_FILES_PATH: join(folder, 'in') },
        ...{ PACKS_DIR: join(folder, 'packs'), ANALYTICS_CACHE_DIR: join(folder, 'cache') },
      });
    gateway = await start();
  });
  afterEach(async () => {
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const put = async (name: string, text: string) => {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  };
  const deliver = (rows: number) =>
    put('in/orders.csv', `id\n${Array.from({ length: rows }, (_, i) => i).join('\n')}\n`);
  const post = async () => {
    const { status, body } = await gateway.post('shop');
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'success', result: { orders: {} } } });
    return body;
  };
  const total = async () => (await gateway.get('/shop/orders')).body.total;
  /** `/health` once it says so; it is asked at most every ten seconds what the lake holds. */
  const untilHealth = async (expected: unknown) => {
    for (;;) {
      const { analytics } = (await gateway.get('/health')).body;
      if (new RegExp(`^${expected}`).test(analytics.shop?.orders ?? '')) return analytics;
      await sleep(200);
    }
  };
  const objects = async () => (await readdir(twins, { recursive: true })).filter((name) => name.endsWith('.parquet'));

  it('stand beside what was published, of the tables that routes read', async () => {
    const { run_id, analytics } = await post();
    expect(Object.keys(analytics)).toEqual(['orders']);
    expect(await untilHealth('ready')).toEqual({ shop: { orders: 'ready' } });
    expect(await objects()).toEqual([expect.stringContaining(`shop/orders/${run_id}/`)]);
  }, 60_000);

  it('fail no run, and are made when what hindered them is gone', async () => {
    // A file stands where their folder would be: nothing can be written below it, whoever one is.
    await put('lake/_ingesta/parquet', '');
    await post();
    await untilHealth('failed: ');
    expect(await total()).toBe(2);
    expect(await gateway.log()).toMatch(/a columnar twin could not be made/);
    await rm(twins);
    await deliver(3);
    const { run_id } = await post();
    await untilHealth('ready');
    // The first run's may have been made too, by a later try before the second run was published.
    expect(await objects()).toContainEqual(expect.stringContaining(`shop/orders/${run_id}/`));
    expect(await total()).toBe(3);
  }, 90_000);

  it('fail no run when the engine is killed, and are made all the same', async () => {
    let killed = 0;
    const killer = setInterval(() => {
      for (const pid of enginesOf(gateway.pid)) if (kill(pid)) killed += 1;
    }, 5);
    await post();
    while (killed === 0) await sleep(20);
    clearInterval(killer);
    await untilHealth('ready');
    expect(existsSync(twins)).toBe(true);
    expect(await total()).toBe(2);
  }, 90_000);

  it('are made by the next gateway where theirs went before', async () => {
    const { run_id } = await post();
    await untilHealth('ready');
    await gateway.stop('SIGKILL');
    await rm(twins, { recursive: true });
    gateway = await start();
    await untilHealth('ready');
    expect(await objects()).toEqual([expect.stringContaining(`shop/orders/${run_id}/`)]);
  }, 60_000);

  it('leave no work folder behind when the gateway is killed', async () => {
    await post();
    await untilHealth('ready');
    const work = join(folder, 'cache/work');
    expect(await total()).toBe(2);
    expect(await readdir(work)).toHaveLength(1);
    await gateway.stop('SIGKILL');
    while ((await readdir(work)).length > 0) await sleep(50);
  }, 60_000);
});

/** Whether it was there to be killed: an engine may end by itself between the look and the signal. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** The query engines that a gateway runs. */
function enginesOf(gateway: number): number[] {
  const isEngine = (pid: number) => {
    try {
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return Number(parent) === gateway && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('duckdb-worker');
    } catch {
      // It ended while we looked.
      return false;
    }
  };
  return readdirSync('/proc').map(Number).filter(isEngine);
}
