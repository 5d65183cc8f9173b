import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith, s3Env } from '../services/need';
import { recordingProxy } from '../services/recording-proxy';
import { startTestGateway } from './harness/gateway';
import { createBucket } from './harness/s3';

const STORED = {
  'x-amz-server-side-encryption': 'AES256',
  'x-amz-storage-class': 'STANDARD_IA',
  'x-amz-tagging': 'team=data',
};

describeWith(['s3'], 'how objects are to be stored', () => {
  it('is told with the table, its stable copy, and the twin that another process writes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ingesta-stored-'));
    const files = {
      'packs/shop/schema.sql': 'CREATE TABLE shop_orders (id bigint);\n',
      'packs/shop/orders.sql':
        '-- route: /shop/orders\n-- summary: How many\n-- tables: shop.orders\n\n' +
        '-- name: total :value\nSELECT count(*) AS total FROM shop_orders\n',
      'in/orders.csv': 'id\n1\n',
    };
    for (const path of ['packs/shop', 'in']) await mkdir(join(folder, path), { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const proxy = await recordingProxy(s3Env().endpoint);
    const bucket = await createBucket();
    const gateway = await startTestGateway({
      ...bucket.settings(false),
      ...{
        AWS_ENDPOINT_URL_S3: proxy.url,
        RUNNER: 'process',
        PACKS: 'none',
        LATEST_TEMPLATE: '{db}/{table}/{table}.csv',
      },
      ...{ SOURCES: 'shop=files:SHOP_', SHOP_FILES_PATH: join(folder, 'in') },
      ...{ PACKS_DIR: join(folder, 'packs'), ANALYTICS_CACHE_DIR: join(folder, 'cache') },
      ...{ S3_ENCRYPTION: 'AES256', S3_STORAGE_CLASS: 'STANDARD_IA', S3_TAGS: 'team=data' },
    });
    try {
      expect(await gateway.post('shop')).toMatchObject({ status: 200, body: { warnings: [] } });
      while (!(await bucket.keys()).some((key) => key.endsWith('.parquet'))) await sleep(200);
      const written = proxy.sent.filter(({ method }) => method === 'PUT');
      for (const key of [/\/shop\/orders_\d{8}_\d{6}\.csv/, /\/shop\/orders\/orders\.csv/, /\.parquet/]) {
        const puts = written.filter(({ url }) => key.test(url));
        expect(puts.length).toBeGreaterThan(0);
        for (const { headers } of puts) expect(headers).toMatchObject(STORED);
      }
    } finally {
      await gateway.stop();
      await proxy.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
