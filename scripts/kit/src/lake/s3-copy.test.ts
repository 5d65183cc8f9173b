import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { describeWith, s3Env } from '../../../../test/services/need';
import { copyObject } from './s3-copy';
import { S3Lake } from './s3-lake';

const MiB = 1024 ** 2;
/** Small enough for a test; parts of S3 are at least so large. */
const SIZES = { whole: 6 * MiB, part: 5 * MiB };
const bucket = `copy-${randomUUID()}`;
const BODY = randomBytes(12 * MiB + 1);
const sha256 = (body: Buffer) => createHash('sha256').update(body).digest('hex');

describeWith(['s3'], 'a copy of what is too large for one call', () => {
  let client: S3Client;
  let lake: S3Lake;

  beforeAll(async () => {
    const { endpoint, accessKey, secretKey } = s3Env();
    const settings = {
      region: 'us-east-1',
      endpoint,
      credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    };
    client = new S3Client({ ...settings, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    lake = new S3Lake({ ...settings, bucket, prefix: '' });
    await lake.create(
      'from.csv',
      (async function* () {
        yield BODY;
      })(),
      { contentType: 'text/csv' },
    );
  });
  afterAll(async () => {
    await lake.close();
    client.destroy();
  });

  const copyTo = (key: string, from: string, signal = new AbortController().signal) => {
    const object = { Bucket: bucket, Key: key, ContentType: 'text/csv', Metadata: { 'ingesta-source': from } };
    return copyObject({ client, bucket, from, bytes: BODY.length, object, signal }, SIZES);
  };
  const unfinished = async () =>
    (await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;

  it('is put together from ranges, with its metadata', async () => {
    await copyTo('to.csv', 'from.csv');
    const { body } = (await lake.get('to.csv'))!;
    expect(sha256(body)).toBe(sha256(BODY));
    expect((await lake.head('to.csv'))?.metadata).toEqual({ 'ingesta-source': 'from.csv' });
    // The mark of what was made of parts.
    expect((await lake.head('to.csv'))?.etag).toMatch(/-3"$/);
    expect(await unfinished()).toBe(0);
  });

  it('leaves what was there, and no half-done upload, where it cannot be finished', async () => {
    await lake.putIfAbsent('kept.csv', Buffer.from('before'));
    await expect(copyTo('kept.csv', 'absent.csv')).rejects.toMatchObject({ name: 'NoSuchKey' });
    const stopped = new AbortController();
    stopped.abort(new Error('told to stop'));
    await expect(copyTo('kept.csv', 'from.csv', stopped.signal)).rejects.toThrow();
    expect((await lake.get('kept.csv'))?.body.toString()).toBe('before');
    expect(await unfinished()).toBe(0);
  });
});
