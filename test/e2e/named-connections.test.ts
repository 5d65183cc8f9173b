import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startMysql } from '../services/mysql';
import { describeWith, mysqlEnv } from '../services/need';
import { createMysql, type TestDatabase } from './harness/databases';
import { startTestGateway, type TestGateway } from './harness/gateway';
import { buildImages, containersOf, E2E_PREFIX } from './harness/images';
import { createBucket } from './harness/s3';

/** Table `t` with a row that says whose it is. */
const fill = (database: TestDatabase, row: string) =>
  database.query(`CREATE TABLE t (x VARCHAR(9)); INSERT INTO t VALUES ('${row}')`);

/** A gateway with `main` as source `mysql` and `sales` as source `ventas`. */
const gatewayOf = (main: TestDatabase, sales: TestDatabase, fromContainer: boolean, settings: Record<string, string>) =>
  startTestGateway({
    ...main.settings(fromContainer),
    ...Object.fromEntries(
      Object.entries(sales.settings(fromContainer)).map(([name, value]) => [`VENTAS_${name}`, value]),
    ),
    SOURCES: 'ventas=mysql:VENTAS_',
    ...settings,
  });

/** Ingests both; each has its own name, keys and rows. The ids of the runs. */
async function ingestBoth(gateway: TestGateway, read: (url: string) => Promise<string>): Promise<string[]> {
  const runs: string[] = [];
  for (const [source, row] of [
    ['mysql', 'main'],
    ['ventas', 'sales'],
  ] as const) {
    const { status, body } = await gateway.post(source);
    expect({ status, body }).toMatchObject({ status: 200, body: { database: source } });
    expect(body.result.t.url).toContain(`/${source}/t_`);
    expect(await read(body.result.t.url)).toBe(`x\n${row}\n`);
    runs.push(body.run_id);
  }
  const { body } = await gateway.get('/health');
  expect(body.data_availability).toMatchObject({ mysql: { t: true }, ventas: { t: true } });
  return runs;
}

describeWith(['mysql'], 'two MySQL servers as two sources of one script', () => {
  it('each has its own name, keys and snapshot', async () => {
    // Another process with a password of its own; where a server was given by its URL, that one twice.
    const server = await startMysql();
    const [main, sales] = await Promise.all([createMysql(), createMysql(mysqlEnv(server.env))]);
    const lake = await mkdtemp(join(tmpdir(), 'ingesta-named-'));
    await Promise.all([fill(main, 'main'), fill(sales, 'sales')]);
    const settings = { LAKE_URL: pathToFileURL(lake).href, RUNNER: 'process' };
    const gateway = await gatewayOf(main, sales, false, settings);
    try {
      await ingestBoth(gateway, (url) => readFile(new URL(url), 'utf8'));
    } finally {
      await gateway.stop();
      await Promise.all([main.drop(), sales.drop(), rm(lake, { recursive: true, force: true })]);
      await server.stop();
    }
  });
});

describeWith(['docker', 's3', 'mysql'], 'two MySQL databases as two sources of one image', () => {
  it('each has its own name, keys and container', async () => {
    await buildImages('mysql');
    const [main, sales, bucket] = await Promise.all([createMysql(), createMysql(), createBucket()]);
    await Promise.all([fill(main, 'main'), fill(sales, 'sales')]);
    const settings = { ...bucket.settings(true), RUNNER: 'docker', IMAGE_PREFIX: E2E_PREFIX };
    const gateway = await gatewayOf(main, sales, true, settings);
    try {
      const runs = await ingestBoth(gateway, (url) => bucket.read(url.slice(`s3://${bucket.name}/`.length)));
      const digests = new Set<string>();
      for (const run of runs) {
        const { body } = await gateway.get(`/api/ingesta/runs/${run}`);
        digests.add(body.image_digest);
        expect(await containersOf(run)).toEqual([]);
      }
      expect([...digests]).toEqual([expect.stringMatching(/^sha256:/)]);
    } finally {
      await gateway.stop();
      await Promise.all([main.drop(), sales.drop()]);
    }
  });
});
