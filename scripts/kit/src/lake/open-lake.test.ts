import { lakeProblems, openLake } from './open-lake';

describe('lakeProblems', () => {
  it.each([
    { AWS_BUCKET_NAME: 'lake' },
    { S3_BUCKET: 'lake', AWS_BUCKET_NAME: 'lake', LAKE_PREFIX: '/a/b-1/' },
    { S3_BUCKET: 'lake', AWS_BUCKET_NAME: '', AWS_ENDPOINT_URL_S3: 'http://minio:9000' },
    { LAKE_URL: 'file:///data/lake' },
    { LAKE_URL: 'file:///processed' },
  ])('finds none in %j', (env) => expect(lakeProblems(env)).toEqual([]));

  it.each<[Record<string, string>, RegExp]>([
    [{}, /AWS_BUCKET_NAME .* is not set/],
    [{ AWS_BUCKET_NAME: 'lake', S3_BUCKET: 'other' }, /different buckets/],
    [{ AWS_BUCKET_NAME: 's3://lake/x' }, /not the name of a bucket/],
    [{ S3_BUCKET: 'lake', LAKE_PREFIX: 'a/../b' }, /LAKE_PREFIX/],
    [{ S3_BUCKET: 'lake', LAKE_PREFIX: 'a'.repeat(201) }, /200 bytes/],
    [{ S3_BUCKET: 'lake', AWS_ENDPOINT_URL: 'minio:9000' }, /URL like/],
    [{ S3_BUCKET: 'lake', AWS_ACCESS_KEY_ID: 'AKIA' }, /together/],
    [{ LAKE_URL: 's3://lake' }, /AWS_BUCKET_NAME instead/],
    [{ LAKE_URL: 'file:///data', LAKE_PREFIX: 'a' }, /part of LAKE_URL/],
    [{ LAKE_URL: 'file:///proc/x' }, /keeps no files/],
    [{ LAKE_URL: 'file:///sys' }, /keeps no files/],
    [{ LAKE_URL: 'file:///data/../proc/x' }, /keeps no files/],
  ])('finds one in %j', (env, problem) => expect(lakeProblems(env)).toEqual([expect.stringMatching(problem)]));
});

describe('openLake', () => {
  it('opens a bucket below a prefix, or a folder', async () => {
    const bucket = await openLake({ S3_BUCKET: 'lake', LAKE_PREFIX: 'a/', AWS_REGION: 'eu-west-1' });
    expect(bucket.urlOf('x.csv')).toBe('s3://lake/a/x.csv');
    expect((await openLake({ LAKE_URL: 'file:///data/lake/' })).urlOf('x%25.csv')).toBe('file:///data/lake/x%2525.csv');
  });

  it('names every problem at once', async () => {
    const opening = openLake({ LAKE_PREFIX: '..', AWS_ACCESS_KEY_ID: 'AKIA' });
    await expect(opening).rejects.toMatchObject({
      exitCode: 64,
      message: expect.stringMatching(/AWS_BUCKET_NAME.*LAKE_PREFIX.*together/),
    });
  });
});
