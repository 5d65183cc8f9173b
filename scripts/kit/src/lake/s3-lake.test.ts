import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { describeWith } from '../../../../test/services/need';
import { fails, growthWhileCreating, lakeSuite } from '../testing/lake-suite';
import { S3Lake } from './s3-lake';

const CSV = { contentType: 'text/csv' };
const bucket = `lake-${randomUUID()}`;
const settings = () => ({
  bucket,
  prefix: 'deployment/a',
  region: 'us-east-1',
  endpoint: process.env.INGESTA_TEST_S3_ENDPOINT!,
  credentials: {
    accessKeyId: process.env.INGESTA_TEST_S3_ACCESS_KEY!,
    secretAccessKey: process.env.INGESTA_TEST_S3_SECRET_KEY!,
  },
});
const body = async function* (bytes: number) {
  yield Buffer.alloc(bytes, 97);
};

describeWith(['s3'], 'S3Lake', () => {
  let client: S3Client;
  beforeAll(async () => {
    client = new S3Client({ ...settings(), forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  });
  afterAll(() => client.destroy());

  const unfinished = async () => {
    const answer = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return answer.Uploads?.length ?? 0;
  };

  lakeSuite('S3Lake', async () => new S3Lake(settings()), { unfinished });

  it('tells of an upload before its first part, lists it, and aborts it for whoever comes later', async () => {
    const lake = new S3Lake(settings());
    const at = `open/${randomUUID()}.csv`;
    let told = '';
    const open = async () => {
      const found: { key: string; uploadId: string }[] = [];
      for await (const upload of lake.openUploads('open/')) found.push(upload);
      return found;
    };
    const creation = lake.create(at, body(6 * 1024 ** 2), {
      ...CSV,
      onUpload: async (uploadId) => {
        told = uploadId;
        expect(await open()).toEqual([{ key: at, uploadId }]);
        await new S3Lake(settings()).abortUpload(at, uploadId);
      },
    });
    await expect(creation).rejects.toMatchObject({ name: 'LakeError' });
    expect(told).not.toBe('');
    expect(await open()).toEqual([]);
    await lake.abortUpload(at, told);
    expect(await lake.head(at)).toBeNull();
  });

  it('leaves no upload where its telling fails', async () => {
    const cause = new Error('no record, no upload');
    const onUpload = () => Promise.reject(cause);
    await expect(
      new S3Lake(settings()).create(`open/${randomUUID()}`, body(6 * 1024 ** 2), { ...CSV, onUpload }),
    ).rejects.toBe(cause);
    expect(await unfinished()).toBe(0);
  });

  it.each([0, 3, 11 * 1024 ** 2])('tells the CRC-32 that the server counts itself, of %d bytes', async (bytes) => {
    const lake = new S3Lake({ ...settings(), checksums: true });
    const created = await lake.create(`crc/${bytes}`, body(bytes), CSV);
    const own = Buffer.alloc(4);
    own.writeUInt32BE(crc32(Buffer.alloc(bytes, 97)));
    expect(created.crc32).toBe(own.toString('base64'));
    expect((await lake.head(`crc/${bytes}`))?.crc32).toBe(created.crc32);
    expect(await new S3Lake(settings()).head(`crc/${bytes}`)).toMatchObject({ bytes, crc32: null });
  });

  it('holds little of 300 MB while it creates them', async () => {
    expect(await growthWhileCreating(new S3Lake(settings()), 5_000)).toBeLessThan(60);
  });

  describe('says what to do', () => {
    const all = (lake: S3Lake) => [
      () => lake.check(),
      () => lake.create('x.csv', body(1), CSV),
      () => lake.create('x.csv', body(6 * 1024 ** 2), CSV),
      () => lake.putIfAbsent('x.json', Buffer.from('{}')),
      () => lake.get('x.json'),
      () => lake.head('x.json'),
    ];
    it.each([
      ['an unknown access key', { credentials: { accessKeyId: 'nobody', secretAccessKey: 'hidden-one' } }],
      [
        'a wrong secret',
        { credentials: { accessKeyId: settings().credentials.accessKeyId, secretAccessKey: 'hidden-one' } },
      ],
      ['a missing bucket', { bucket: `no-${bucket}` }],
    ])('after %s', async (_, wrong) => {
      const lake = new S3Lake({ ...settings(), ...wrong });
      for (const call of all(lake)) {
        const error = await fails('denied', call());
        expect(`${error.message} ${error.hint} ${error.cause}`).not.toContain('hidden-one');
      }
    });

    it('when nobody listens', async () => {
      const lake = new S3Lake({ ...settings(), endpoint: 'http://127.0.0.1:1' });
      for (const call of all(lake)) await fails('unavailable', call());
    });
  });

  describe('where another write of the same object is under way', () => {
    const CONFLICT = '<Error><Code>ConditionalRequestConflict</Code><Message>Busy</Message></Error>';
    const PUT = (method: string) => method === 'PUT';
    const COMPLETION = (method: string, url: string) => method === 'POST' && url.includes('uploadId');
    const mine = { ...CSV, metadata: { 'ingesta-attempt': 'mine' } };
    let proxy: Server;
    let conflicts: number;
    afterEach(() => {
      proxy.closeAllConnections();
      proxy.close();
    });

    /** The first write gets no answer and lands after the first conflict, or never; until then S3 answers the others as it does. */
    async function lakeWhere(isWrite: (method: string, url: string) => boolean, lands: boolean): Promise<S3Lake> {
      const { hostname, port } = new URL(settings().endpoint);
      let writes = 0;
      let landed = false;
      let met: () => void = () => undefined;
      const conflict = new Promise<void>((resolve) => {
        met = resolve;
      });
      conflicts = 0;
      proxy = createServer(async (from, to) => {
        const { method = '', url = '', headers } = from;
        const sent = await buffer(from);
        const onward = () => once(request({ hostname, port, path: url, method, headers }).end(sent), 'response');
        if (isWrite(method, url) && !landed) {
          if (++writes > 1) {
            conflicts++;
            if (lands) met();
            to.writeHead(409).end(CONFLICT);
            return;
          }
          to.destroy();
          await conflict;
          const [answer] = await onward();
          answer.resume();
          landed = true;
          return;
        }
        const [answer] = await onward();
        answer.pipe(to.writeHead(answer.statusCode, answer.headers));
      }).listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      return new S3Lake({ ...settings(), endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    }

    it.each([
      ['a put', 3, PUT],
      ['a completion', 6 * 1024 ** 2, COMPLETION],
    ])('waits for %s of its own that was given up too early', async (_, bytes, isWrite) => {
      const lake = await lakeWhere(isWrite, true);
      const key = `${randomUUID()}.csv`;
      const created = await lake.create(key, body(bytes), mine);
      expect(conflicts).toBeGreaterThan(0);
      expect(await lake.head(key)).toMatchObject({ bytes, etag: created.etag });
      expect(await unfinished()).toBe(0);
    });

    it('says that it did not end, not that the key is taken', async () => {
      const lake = await lakeWhere(PUT, false);
      await fails('unavailable', lake.create(`${randomUUID()}.csv`, body(3), mine));
    });
  });

  describe('whose answers get lost', () => {
    let proxy: Server;
    /** Begins uploads and ends them, and never answers to a part. */
    let stalled: Server;
    let lost: string[];
    let lose: (method: string, url: string) => boolean;
    let lake: S3Lake;
    beforeAll(async () => {
      const target = new URL(settings().endpoint);
      proxy = createServer((from, to) => {
        const { method = '', url = '', headers } = from;
        const drop = lose(method, url);
        const { hostname, port } = target;
        const onward = request({ hostname, port, path: url, method, headers }, (answer) => {
          if (!drop) return answer.pipe(to.writeHead(answer.statusCode!, answer.headers));
          return answer.resume().on('end', () => {
            lost.push(`${method} ${answer.statusCode}`);
            to.destroy();
          });
        });
        from.pipe(onward);
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    });
    beforeAll(async () => {
      const begun = '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>';
      stalled = createServer((from, to) => {
        from.resume();
        if (from.method === 'POST') to.end(begun);
        if (from.method === 'DELETE') to.writeHead(204).end();
      });
      await new Promise<void>((resolve) => stalled.listen(0, '127.0.0.1', resolve));
    });
    afterAll(() => {
      for (const server of [proxy, stalled]) {
        server.closeAllConnections();
        server.close();
      }
    });
    beforeEach(() => {
      lost = [];
      const { port } = proxy.address() as AddressInfo;
      lake = new S3Lake({ ...settings(), endpoint: `http://127.0.0.1:${port}` });
    });
    afterEach(() => lake.close());

    it.each([
      ['a put', 3, (method: string) => method === 'PUT'],
      ['a completion', 6 * 1024 ** 2, (method: string, url: string) => method === 'POST' && url.includes('uploadId')],
    ])('knows its own object again after %s', async (_, bytes, loses) => {
      lose = (method, url) => lost.length === 0 && loses(method, url);
      const key = `${randomUUID()}.csv`;
      const created = await lake.create(key, body(bytes), { ...CSV, metadata: { 'ingesta-attempt': 'mine' } });
      expect(lost).toEqual([expect.stringMatching(/ 200$/)]);
      expect(await lake.head(key)).toMatchObject({ bytes, etag: created.etag });
      expect(await unfinished()).toBe(0);
    });

    it("does not take another's object for its own", async () => {
      lose = () => false;
      const key = `${randomUUID()}.csv`;
      await lake.create(key, body(3), { ...CSV, metadata: { 'ingesta-attempt': 'theirs' } });
      await fails('precondition', lake.create(key, body(3), { ...CSV, metadata: { 'ingesta-attempt': 'mine' } }));
    });

    it('does not repeat the write of a record: the caller settles doubt', async () => {
      let writes = 0;
      lose = (method) => {
        writes += method === 'PUT' ? 1 : 0;
        return method === 'PUT';
      };
      const key = `${randomUUID()}.json`;
      await fails('unavailable', lake.putIfAbsent(key, Buffer.from('{}')));
      expect(writes).toBe(1);
    });

    it('repeats a part', async () => {
      lose = (method, url) => lost.length === 0 && method === 'PUT' && url.includes('partNumber=2');
      const key = `${randomUUID()}.csv`;
      expect((await lake.create(key, body(11 * 1024 ** 2), CSV)).bytes).toBe(11 * 1024 ** 2);
      expect(lost).toHaveLength(1);
    });

    it('pulls no more than two parts ahead of a server that stopped taking them', async () => {
      const frozen = new S3Lake({
        ...settings(),
        endpoint: `http://127.0.0.1:${(stalled.address() as AddressInfo).port}`,
      });
      const controller = new AbortController();
      let pulled = 0;
      async function* endless() {
        for (; ; pulled += 1) yield Buffer.alloc(1024 ** 2);
      }
      const creation = fails('aborted', frozen.create('stalled.csv', endless(), { ...CSV, signal: controller.signal }));
      for (let before = -1; before !== pulled || pulled === 0; await sleep(500)) before = pulled;
      expect(pulled).toBeGreaterThanOrEqual(5);
      expect(pulled).toBeLessThanOrEqual(11);
      controller.abort();
      await creation;
      await frozen.close();
    });

    it('cleans up when a part fails for good', async () => {
      lose = (method, url) => method === 'PUT' && url.includes('partNumber=2');
      async function* endless() {
        while (true) yield Buffer.alloc(1024 ** 2);
      }
      await fails('unavailable', lake.create(`${randomUUID()}.csv`, endless(), CSV));
      expect(await unfinished()).toBe(0);
    });
  });
});
