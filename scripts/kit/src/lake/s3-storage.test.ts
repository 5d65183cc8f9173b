import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { describeWith, s3Env } from '../../../../test/services/need';
import { type Recorded, recordingProxy } from '../../../../test/services/recording-proxy';
import type { Lake } from './lake';
import { lakeProblems, openLake } from './open-lake';
import { s3Storage } from './s3-storage';

const BUCKET = `lake-${randomUUID()}`;
const SETTINGS = {
  S3_ENCRYPTION: 'aws:kms',
  S3_KMS_KEY_ID: 'arn:aws:kms:us-east-1:111122223333:key/0af1',
  S3_STORAGE_CLASS: 'STANDARD_IA',
  S3_TAGS: 'team=data, cost center=4711',
};
const EVERY = {
  'x-amz-server-side-encryption': 'aws:kms',
  'x-amz-server-side-encryption-aws-kms-key-id': SETTINGS.S3_KMS_KEY_ID,
  'x-amz-tagging': 'team=data&cost+center=4711',
};
const body = async function* (bytes: number) {
  yield Buffer.alloc(bytes, 97);
};

describeWith(['s3'], 'how objects are stored', () => {
  let proxy: { url: string; sent: Recorded[]; close(): Promise<void> };
  let lake: Lake;

  beforeAll(async () => {
    const { endpoint, accessKey, secretKey } = s3Env();
    const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    client.destroy();
    proxy = await recordingProxy(endpoint);
  });
  afterAll(() => proxy.close());
  beforeEach(() => {
    proxy.sent.length = 0;
  });
  afterEach(() => lake.close());

  const open = async (settings: Record<string, string>): Promise<void> => {
    const { accessKey, secretKey } = s3Env();
    const keys = { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey };
    lake = await openLake({ ...keys, AWS_BUCKET_NAME: BUCKET, AWS_ENDPOINT_URL_S3: proxy.url, ...settings });
  };
  const storage = ({ headers }: Recorded) =>
    Object.fromEntries(
      Object.entries(headers).filter(([name]) => /^x-amz-(server-side-encryption|tagging|storage-class)/.test(name)),
    );
  /** What was asked for with each write, whatever the server made of it. */
  const written = async (write: Promise<unknown>) => {
    await write.catch(() => undefined);
    return proxy.sent.filter(({ method, url }) => method === 'PUT' || url.includes('?uploads')).map(storage);
  };

  it('is told with an object that goes in one piece', async () => {
    await open(SETTINGS);
    const [put] = await written(lake.create('small.csv', body(3), { contentType: 'text/csv' }));
    expect(put).toEqual({ ...EVERY, 'x-amz-storage-class': 'STANDARD_IA' });
  });

  it('is told when a multipart upload is created, and not with its parts', async () => {
    await open({ S3_ENCRYPTION: 'AES256', S3_STORAGE_CLASS: 'STANDARD_IA', S3_TAGS: 'team=data' });
    const [creation, ...parts] = await written(
      lake.create('large.csv', body(6 * 1024 ** 2), { contentType: 'text/csv' }),
    );
    expect(creation).toEqual({
      'x-amz-server-side-encryption': 'AES256',
      'x-amz-tagging': 'team=data',
      'x-amz-storage-class': 'STANDARD_IA',
    });
    expect(parts.length).toBeGreaterThan(0);
    for (const part of parts) expect(part).toEqual({});
  });

  it('is told with a copy inside the bucket', async () => {
    await open({});
    await lake.create('source.csv', body(3), { contentType: 'text/csv' });
    await lake.close();
    await open(SETTINGS);
    proxy.sent.length = 0;
    const from = { key: 'source.csv', bytes: 3 };
    const [copy] = await written(lake.copy(from, 'latest.csv', { contentType: 'text/csv', metadata: { a: 'b' } }));
    expect(copy).toEqual({ ...EVERY, 'x-amz-storage-class': 'STANDARD_IA', 'x-amz-tagging-directive': 'REPLACE' });
  });

  it('is told with records, but for the class', async () => {
    await open(SETTINGS);
    expect(await written(lake.putIfAbsent('record.json', Buffer.from('{}')))).toEqual([EVERY]);
  });

  it('is the bucket’s affair unless something is set', async () => {
    await open({});
    expect(await written(lake.create('plain.csv', body(3), { contentType: 'text/csv' }))).toEqual([{}]);
  });
});

it.each([
  [{ S3_ENCRYPTION: 'kms' }, 'S3_ENCRYPTION=kms must be one of'],
  [{ S3_KMS_KEY_ID: 'key' }, 'S3_KMS_KEY_ID counts with'],
  [{ S3_KMS_KEY_ID: 'key', S3_ENCRYPTION: 'AES256' }, 'S3_KMS_KEY_ID counts with'],
  [{ S3_STORAGE_CLASS: 'GLACIER' }, 'S3_STORAGE_CLASS=GLACIER must be one of'],
  [{ S3_TAGS: 'team' }, 'S3_TAGS: "team" must be like'],
  [{ S3_TAGS: Array.from({ length: 11 }, (_, n) => `t${n}=1`).join() }, '10 tags at most'],
])('refuses %j', (env, problem) => {
  expect(lakeProblems({ AWS_BUCKET_NAME: 'bucket', ...env })).toEqual([expect.stringContaining(problem)]);
});

it('adds nothing that is not set', () => expect(s3Storage({})).toEqual({ every: {}, data: {} }));
