import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, GetTablesCommand, GlueClient, type Table } from '@aws-sdk/client-glue';
import { describeWith, motoEndpoint } from '../services/need';
import { startTestGateway, type TestGateway } from './harness/gateway';
import { type Bucket, createBucket } from './harness/s3';

describeWith(['moto', 's3'], 'a gateway that keeps tables in Glue', () => {
  const database = `test_${randomUUID().replaceAll('-', '')}`;
  let folder: string;
  let bucket: Bucket;
  let gateway: TestGateway;
  let glue: GlueClient;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-glue-'));
    bucket = await createBucket();
    await mkdir(join(folder, 'in'));
    glue = new GlueClient({
      endpoint: motoEndpoint(),
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    gateway = await startTestGateway({
      ...bucket.settings(false),
      ...{ GLUE_CATALOG: 'on', GLUE_DATABASE: database, AWS_ENDPOINT_URL_GLUE: motoEndpoint() },
      ...{ RUNNER: 'process', PACKS: 'none', ANALYTICS_CACHE_DIR: join(folder, 'cache') },
      ...{ SOURCES: 'shop=files:SHOP_', SHOP_FILES_PATH: join(folder, 'in') },
    });
  });
  afterAll(async () => {
    await gateway?.stop();
    glue?.destroy();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const deliver = (table: string, rows: string) => writeFile(join(folder, 'in', `${table}.csv`), `id\n${rows}\n`);
  const post = async (): Promise<string> => {
    const { status, body } = await gateway.post('shop');
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'success' } });
    // No route reads any of them.
    expect(Object.keys(body.analytics).sort()).toEqual(Object.keys(body.result).sort());
    return body.run_id;
  };
  const tables = async (): Promise<Record<string, Table>> => {
    const { TableList = [] } = await glue.send(new GetTablesCommand({ DatabaseName: database })).catch((error) => {
      // Made with the first table.
      if (error.name === 'EntityNotFoundException') return {} as { TableList?: Table[] };
      throw error;
    });
    return Object.fromEntries(TableList.map((table) => [table.Name, table]));
  };
  const locations = async () =>
    Object.fromEntries(
      Object.entries(await tables()).map(([name, found]) => [name, found.StorageDescriptor?.Location]),
    );
  /** The catalog follows the answer. */
  const until = async (done: () => Promise<boolean>) => {
    while (!(await done())) await sleep(100);
  };
  const at = (table: string, run: string) => `s3://${bucket.name}/_ingesta/parquet/shop/${table}/${run}/`;

  it('moves them to the twins of each run, and says in /health when it cannot', async () => {
    await deliver('orders', '1');
    await deliver('notes', '1');
    const first = await post();
    await until(async () => Object.keys(await tables()).length === 2);
    expect(await locations()).toEqual({ shop_orders: at('orders', first), shop_notes: at('notes', first) });
    expect((await gateway.get('/health')).body.catalog).toEqual({});

    // Somebody else's table stands where one of ours would go.
    const foreign = { Name: 'shop_refunds', StorageDescriptor: { Location: 's3://elsewhere/' } };
    await glue.send(new CreateTableCommand({ DatabaseName: database, TableInput: foreign }));
    await deliver('orders', '1\n2');
    await deliver('refunds', '1');
    const second = await post();
    await until(async () => (await locations()).shop_notes !== at('notes', first));
    await until(async () => Object.keys((await gateway.get('/health')).body.catalog).length > 0);
    expect(await locations()).toEqual({
      shop_orders: at('orders', second),
      shop_notes: at('notes', second),
      shop_refunds: 's3://elsewhere/',
    });
    const keys = await bucket.keys();
    for (const table of ['orders', 'notes'])
      expect(keys.filter((key) => key.includes(`/parquet/shop/${table}/${second}/`))).toHaveLength(1);
    expect((await gateway.get('/health')).body.catalog).toEqual({
      shop: expect.stringMatching(/^shop_refunds: .*is there already/),
    });
    expect(await gateway.log()).toMatch(/the catalog does not show the latest run/);
  }, 90_000);
});
