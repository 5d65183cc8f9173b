import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { ATTEMPT_METADATA, openLake } from '@ingesta/kit';
import { describeWith, s3Env } from '../../../test/services/need';
import { type Delivery, newDelivery, openSession } from './testing/delivery';

const CHANGED = { code: 'SOURCE_UNAVAILABLE', exitCode: 75, message: expect.stringContaining('t.csv') };
/** More than is read ahead. */
const BIG = `a,b\n${'1,some text\n'.repeat(500_000)}`;

describe('a session over files', () => {
  let delivery: Delivery;
  beforeAll(() => {
    delivery = newDelivery();
  });
  beforeEach(() => delivery.clear());
  afterAll(() => delivery.remove());

  it('finds tables by name, in folders too, and says what it does not take', async () => {
    delivery.put('b.csv', 'x\n1\n');
    delivery.put('a.jsonl', '{"x":1}\n');
    delivery.put('2024/enero.tsv', 'x\ty\n');
    delivery.put('stock.xlsx', 'PK');
    delivery.put('LEEME.txt', 'Hello, these are\nthe files\n');
    delivery.put('nothing.csv', '');
    const { tables, warnings, session } = await delivery.open();
    expect(tables.map(({ name }) => name)).toEqual(['2024.enero', 'a', 'b']);
    expect(warnings).toEqual([
      expect.stringContaining('stock.xlsx'),
      expect.stringMatching(/: LEEME.txt, nothing.csv$/),
    ]);
    expect(session.consistency).toBe('none');
    expect(Math.abs(session.takenAt.getTime() - Date.now())).toBeLessThan(60_000);
    await session.close();
    await session.close();
  });

  it('follows no links and takes no hidden files', async () => {
    const outside = newDelivery();
    try {
      symlinkSync(outside.put('secret.csv', 'a\n1\n'), join(delivery.folder, 'link.csv'));
      symlinkSync(outside.folder, join(delivery.folder, 'folder'));
      delivery.put('.hidden.csv', 'a\n1\n');
      delivery.put('.git/config.csv', 'a\n1\n');
      delivery.put('t.csv', 'a\n1\n');
      expect((await delivery.open()).tables.map(({ name }) => name)).toEqual(['t']);
    } finally {
      outside.remove();
    }
  });

  it('has a header where there are no rows', async () => {
    delivery.put('t.csv', 'a,b');
    expect(await (await delivery.open()).csv('t')).toBe('a,b\n');
  });

  it('reads gzip, also of several parts', async () => {
    delivery.put('t.csv.gz', Buffer.concat([gzipSync('a,b\n1,'), gzipSync('2\n')]));
    delivery.put('j.ndjson.gz', gzipSync('{"a":"x"}\n'));
    delivery.put('big.csv.gz', gzipSync(BIG));
    const { csv, tables } = await delivery.open();
    expect(await csv('t')).toBe('a,b\n1,2\n');
    expect(await csv('j')).toBe('a\nx\n');
    expect(await csv('big')).toBe(BIG);
    expect(tables.find(({ name }) => name === 't')!.estimatedRows).toBeNull();
  });

  it('fails over gzip that is cut off or none', async () => {
    delivery.put('t.csv.gz', gzipSync(BIG).subarray(0, -20));
    const { csv } = await delivery.open();
    await expect(csv('t')).rejects.toMatchObject({ code: 'SCRIPT_FAILED', message: expect.stringContaining('gzip') });
    delivery.put('t.csv.gz', 'a,b\n1,2\n');
    await expect(delivery.open()).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
  });

  it('reads windows-1252 without being told, header and all, and warns of it', async () => {
    delivery.put('t.csv', Buffer.from(`a\xf1o;precio\n${'x;y\n'.repeat(200_000)}\xd1u;\x80 5\n`, 'latin1'));
    delivery.put('u.csv', Buffer.from(`id;precio\n${'x;y\n'.repeat(200_000)}\xd1u;\x80 5\n`, 'latin1'));
    const { csv, warnings } = await delivery.open();
    for (const table of ['t', 'u']) expect((await csv(table)).slice(-11)).toBe('x,y\nÑu,€ 5\n');
    expect((await csv('t')).startsWith('año,precio\n')).toBe(true);
    expect(warnings[0]).toContain('windows-1252');
  });

  it.each([
    ['is missing', () => join(delivery.folder, 'none')],
    ['is a file', () => delivery.put('t.csv', 'a\n')],
  ])('says that the folder %s', async (_, path) => {
    await expect(delivery.open({ FILES_PATH: path() })).rejects.toMatchObject({ code: 'SOURCE_CONFIG', exitCode: 64 });
  });

  it('says that a folder or a file may not be read', async () => {
    if (process.getuid?.() === 0) return; // root may
    const path = delivery.put('t.csv', 'a\n');
    chmodSync(path, 0);
    await expect(delivery.open()).rejects.toMatchObject({ code: 'SOURCE_CONFIG' });
    chmodSync(delivery.folder, 0);
    await expect(delivery.open()).rejects.toMatchObject({ code: 'SOURCE_CONFIG' });
    chmodSync(delivery.folder, 0o755);
  });

  it.each<[string, (path: string) => void]>([
    ['grew', (path) => appendFileSync(path, '3,4\n')],
    ['was touched', (path) => utimesSync(path, 1, 1)],
    ['is gone', (path) => rmSync(path)],
    ['was replaced', (path) => renameSync(delivery.put('new.part', BIG), path)],
    [
      'became a link',
      (path) => {
        rmSync(path);
        symlinkSync(delivery.put('other', BIG), path);
      },
    ],
  ])('fails for now when a file %s after it was found, or meanwhile', async (_, change) => {
    const path = delivery.put('t.csv', BIG);
    const first = await delivery.open();
    change(path);
    await expect(first.csv('t')).rejects.toMatchObject(CHANGED);

    delivery.clear();
    delivery.put('t.csv', BIG);
    const { session, select } = await delivery.open();
    const reading = async () => {
      let chunks = 0;
      for await (const _chunk of session.read(select('t'))) if (chunks++ === 0) change(path);
    };
    await expect(reading()).rejects.toMatchObject(CHANGED);
  });

  it('stops when the run is aborted, and lets go of the file when the reader leaves', async () => {
    delivery.put('t.csv', BIG);
    const { session, select, abort } = await delivery.open();
    for await (const _ of session.read(select('t'))) break;
    const reason = new Error('the deadline');
    const reading = async () => {
      for await (const _ of session.read(select('t'))) abort.abort(reason);
    };
    await expect(reading()).rejects.toBe(reason);
  });

  describe('in the lake', () => {
    const open = (prefix = 'entregas/ventas') =>
      openSession({ FILES_LAKE_PREFIX: prefix, LAKE_URL: pathToFileURL(delivery.folder).href });

    it('reads the files below the prefix alone', async () => {
      delivery.put('entregas/ventas/ventas.csv', 'venta_id;fecha\nprod001;01/02/24\n');
      delivery.put('entregas/ventas/2024/big.csv', BIG);
      delivery.put('entregas/ventas2/other.csv', 'a\n');
      delivery.put('_ingesta/x.csv', 'a\n');
      const { tables, csv, session } = await open();
      expect(tables.map(({ name }) => name)).toEqual(['2024.big', 'ventas']);
      expect(await csv('ventas')).toBe('venta_id,fecha\nprod001,01/02/24\n');
      expect(await csv('2024.big')).toBe(BIG);
      await session.close();
    });

    it('finds nothing where there is nothing', async () => {
      expect((await open('none')).tables).toEqual([]);
    });

    it('fails for now when an object changes', async () => {
      const path = delivery.put('entregas/ventas/t.csv', BIG);
      const { csv } = await open();
      appendFileSync(path, '3,4\n');
      await expect(csv('t')).rejects.toMatchObject(CHANGED);
    });

    it('does not take its own exports for deliveries', async () => {
      const lake = await openLake({ LAKE_URL: pathToFileURL(delivery.folder).href });
      async function* body() {
        yield Buffer.from('a\n1\n');
      }
      const metadata = { [ATTEMPT_METADATA]: 'n' };
      await lake.create('files/t_20250102_153045.csv', body(), { contentType: 'text/csv', metadata });
      await expect(open('files')).rejects.toMatchObject({ code: 'SOURCE_CONFIG' });
      mkdirSync(join(delivery.folder, 'mine'));
      delivery.put('mine/t_20250102_153045.csv', 'a\n1\n');
      expect((await open('mine')).tables).toHaveLength(1);
    });
  });
});

describeWith(['s3'], 'a session over files in a bucket', () => {
  it('reads them, and fails for now when one is replaced', async () => {
    const { endpoint, accessKey, secretKey } = s3Env();
    const lakeEnv = {
      AWS_BUCKET_NAME: `files-${randomUUID()}`,
      LAKE_PREFIX: 'deployment/a',
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: accessKey,
      AWS_SECRET_ACCESS_KEY: secretKey,
    };
    await createBucket(lakeEnv.AWS_BUCKET_NAME);
    const lake = await openLake(lakeEnv);
    const put = async (key: string, content: string | Buffer) => {
      async function* body() {
        yield Buffer.from(content);
      }
      await lake.create(key, body(), { contentType: 'text/csv' });
    };
    await put('entregas/t.csv', BIG);
    await put('entregas/z.csv.gz', gzipSync(BIG));
    await put('entregas/j.jsonl', '{"a":"x"}\n');
    const { tables, csv, session, select } = await openSession({ FILES_LAKE_PREFIX: 'entregas', ...lakeEnv });
    expect(tables.map(({ name }) => name)).toEqual(['j', 't', 'z']);
    expect(await csv('t')).toBe(BIG);
    expect(await csv('z')).toBe(BIG);
    expect(await csv('j')).toBe('a\nx\n');
    for await (const _ of session.read(select('t'))) break;
    await lake.delete('entregas/t.csv');
    await put('entregas/t.csv', BIG.replace('1', '2'));
    await expect(csv('t')).rejects.toMatchObject(CHANGED);
    await session.close();
    await lake.close();
  });
});

describeWith(['s3'], 'a file in a bucket whose connection is cut in the middle', () => {
  it('fails, and ends in no shorter table', async () => {
    const { endpoint, accessKey, secretKey } = s3Env();
    const server = new URL(endpoint);
    let received = 0;
    const sockets: Socket[] = [];
    const proxy = createServer((client) => {
      const upstream = dial(Number(server.port), server.hostname);
      sockets.push(client, upstream);
      for (const end of [client, upstream]) end.on('error', () => undefined);
      client.pipe(upstream).pipe(client);
      upstream.on('data', (data) => {
        received += data.length;
        if (received > BIG.length / 2) for (const open of sockets.splice(0)) open.destroy();
      });
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const lakeEnv = {
      AWS_BUCKET_NAME: `files-${randomUUID()}`,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: accessKey,
      AWS_SECRET_ACCESS_KEY: secretKey,
    };
    await createBucket(lakeEnv.AWS_BUCKET_NAME);
    const lake = await openLake(lakeEnv);
    async function* body() {
      yield Buffer.from(BIG);
    }
    await lake.create('entregas/t.csv', body(), { contentType: 'text/csv' });
    await lake.close();
    const port = (proxy.address() as AddressInfo).port;
    const through = { ...lakeEnv, AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` };
    const { session, csv } = await openSession({ FILES_LAKE_PREFIX: 'entregas', ...through });
    await expect(csv('t')).rejects.toMatchObject({ name: 'LakeError', kind: 'unavailable' });
    expect(received).toBeGreaterThan(BIG.length / 2);
    await session.close();
    proxy.close();
  });
});

async function createBucket(bucket: string): Promise<void> {
  const { endpoint, accessKey, secretKey } = s3Env();
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}
