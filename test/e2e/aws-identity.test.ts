import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { docker } from '../services/images';
import { describeWith, dockerEnv, motoEndpoint } from '../services/need';
import { type AwsIdentity, type Issuer, type LakeCall, startAwsIdentity } from './harness/aws-identity';
import { startTestGateway, type TestGateway } from './harness/gateway';
import { buildImages, E2E_PREFIX } from './harness/images';

const ROLE = 'arn:aws:iam::111122223333:role/ingesta-gateway';

/** What a platform gives a process, besides the files in `folder`. */
const PLATFORMS: [string, Issuer, (aws: AwsIdentity, folder: string) => Record<string, string>][] = [
  ['the role of an instance', 'instance', ({ url }) => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url })],
  [
    'the role of an ECS task',
    'task',
    ({ url }, folder) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/task`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, 'task-token'),
    }),
  ],
  [
    'web identity',
    'AssumeRoleWithWebIdentity',
    ({ url }, folder) => ({
      ...{ AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'web-token'), AWS_ROLE_ARN: ROLE },
      AWS_ENDPOINT_URL_STS: url,
    }),
  ],
  [
    'a profile that assumes a role',
    'AssumeRole',
    ({ url }, folder) => ({
      ...{ AWS_CONFIG_FILE: join(folder, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials') },
      ...{ AWS_PROFILE: 'lake', AWS_ENDPOINT_URL_STS: url },
    }),
  ],
];

const PACK = {
  'schema.sql': 'CREATE TABLE shop_orders (id bigint);\n',
  'orders.sql':
    '-- route: /shop/orders\n-- summary: How many\n-- tables: shop.orders\n\n' +
    '-- name: total :value\nSELECT count(*) AS total FROM shop_orders\n',
};
const BUCKET_OWNER = { accessKeyId: 'admin', secretAccessKey: 'admin' };
const isData = ({ method, path }: LakeCall) => method === 'PUT' && /\/shop\/orders_\d{8}_\d{6}\.csv$/.test(path);

/** A bucket of one's own on moto, reached past whoever asks for credentials. */
async function makeBucket(objects: Record<string, string> = {}): Promise<string> {
  const s3 = new S3Client({
    ...{ endpoint: motoEndpoint(), region: 'us-east-1', forcePathStyle: true, credentials: BUCKET_OWNER },
  });
  const Bucket = `e2e-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const [Key, Body] of Object.entries(objects)) await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  s3.destroy();
  return Bucket;
}

/**
 * No key stands in any environment here: who has none from the platform gets nothing of S3. Seen to fail with credentials that are
 * kept for a day (each platform, at the second round), and for scripts that look for themselves without the platform's variables
 * in process-runner.ts.
 */
describeWith(['moto'], 'credentials that AWS gives to whoever runs there', () => {
  let folder: string;
  let aws: AwsIdentity;
  let gateway: TestGateway | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-aws-'));
    aws = await startAwsIdentity(motoEndpoint());
    for (const path of ['packs/shop', 'in']) await mkdir(join(folder, path), { recursive: true });
    for (const [name, text] of Object.entries(PACK)) await writeFile(join(folder, 'packs/shop', name), text);
    await writeFile(join(folder, 'in/orders.csv'), 'id\n1\n2\n');
    await writeFile(join(folder, 'task-token'), aws.taskToken);
    await writeFile(join(folder, 'web-token'), 'a token of somebody who is trusted');
    await writeFile(join(folder, 'config'), `[profile lake]\nrole_arn = ${ROLE}\nsource_profile = base\n`);
    await writeFile(join(folder, 'credentials'), '[base]\naws_access_key_id = AKIA\naws_secret_access_key = s\n');
  });
  afterEach(async () => {
    await gateway?.stop();
    gateway = undefined;
    await aws.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A gateway with a bucket of its own, whose HOME has no `.aws`. */
  const start = async (settings: Record<string, string>) => {
    gateway = await startTestGateway({
      ...{ HOME: folder, AWS_BUCKET_NAME: await makeBucket(), AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_S3: aws.url },
      ...{ RUNNER: 'process', SOURCES: 'shop=files:SHOP_', SHOP_FILES_PATH: join(folder, 'in') },
      ...{ PACKS: 'none', PACKS_DIR: join(folder, 'packs'), ANALYTICS_CACHE_DIR: join(folder, 'cache') },
      ...settings,
    });
    return gateway;
  };
  const failureOf = async ({ post }: TestGateway) => {
    const { status, body } = await post('shop');
    return { status, ...body.error };
  };

  describe.each(PLATFORMS)('%s', (_, issuer, platform) => {
    it('serves a run, its verification and a query of its table; what ends is replaced', async () => {
      const { post, get } = await start({ ...platform(aws, folder), VERIFY: 'full' });
      for (const rows of ['id\n1\n2\n', 'id\n1\n2\n3\n']) {
        await writeFile(join(folder, 'in/orders.csv'), rows);
        const total = rows.split('\n').length - 2;
        const { status, body } = await post('shop');
        expect([status, body.error, body.result?.orders?.registros]).toEqual([200, undefined, total]);
        expect((await get('/shop/orders')).body).toMatchObject({ total });
        await aws.expire();
      }
      // Gateway, script, verifier and DuckDB's process, and each again.
      expect(aws.calls.filter(isData).length).toBe(2);
      expect(new Set(aws.calls.map((call) => call.issuer))).toEqual(new Set([issuer]));
    });

    it('is there for scripts that look for themselves', async () => {
      const { post } = await start({ ...platform(aws, folder), SCRIPT_CREDENTIALS: 'own' });
      const { status, body } = await post('shop');
      expect([status, body.error, aws.calls.find(isData)?.issuer]).toEqual([200, undefined, issuer]);
    });
  });

  it('are said to have ended when they have, by S3’s own word', async () => {
    const started = await start({ AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url });
    aws.stale = () => true;
    const before = await failureOf(started);
    expect(before).toMatchObject({ status: 502, code: 'LAKE_DENIED', message: expect.stringContaining('expired') });
    // Those that were handed to a script end while it works.
    aws.stale = isData;
    await aws.expire();
    const within = await failureOf(started);
    expect(within).toMatchObject({ status: 502, code: 'LAKE_DENIED', message: expect.stringContaining('expired') });
    expect(within.hint).toContain('SCRIPT_CREDENTIALS=own');
    aws.stale = null;
    await aws.expire();
    expect((await started.post('shop')).status).toBe(200);
  });

  it('let the gateway assume the role that scripts get, narrowed', async () => {
    const { post } = await start({
      AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url,
      AWS_ENDPOINT_URL_STS: aws.url,
      SCRIPT_ROLE_ARN: 'arn:aws:iam::111122223333:role/ingesta-script',
    });
    const { status, body } = await post('shop');
    expect([status, body.error, aws.calls.find(isData)?.issuer]).toEqual([200, undefined, 'AssumeRole']);
    const current = aws.calls.find(({ method, path }) => method === 'PUT' && path.includes('/_ingesta/current/'));
    expect(current?.issuer).toBe('instance');
  });

  it.each<[string, Record<string, string>, string]>([
    ['no platform at all', { AWS_EC2_METADATA_DISABLED: 'true' }, 'no AWS credentials were found'],
    [
      'a task whose token counts no more',
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: '{url}/task', AWS_CONTAINER_AUTHORIZATION_TOKEN: 'of yesterday' },
      'no AWS credentials were found',
    ],
    [
      'a web identity without its file',
      { AWS_WEB_IDENTITY_TOKEN_FILE: '/nowhere/token', AWS_ROLE_ARN: ROLE },
      'cannot be read (ENOENT): /nowhere/token',
    ],
    [
      'a web identity that has ended',
      { AWS_WEB_IDENTITY_TOKEN_FILE: '{folder}/ended', AWS_ROLE_ARN: ROLE, AWS_ENDPOINT_URL_STS: '{url}' },
      'have expired',
    ],
  ])('%s is LAKE_DENIED, and says what is wrong', async (_, settings, message) => {
    await writeFile(join(folder, 'ended'), 'ended');
    const filled = Object.entries(settings).map(([name, value]) => [
      name,
      value.replace('{url}', aws.url).replace('{folder}', folder),
    ]);
    const failure = await failureOf(await start(Object.fromEntries(filled)));
    expect(failure).toMatchObject({ status: 502, code: 'LAKE_DENIED', message: expect.stringContaining(message) });
    expect(aws.calls).toEqual([]);
  });
});

/** Seen to fail where nothing has the metadata service's address. */
describeWith(['docker', 'moto'], 'credentials of AWS in containers of scripts that look for themselves', () => {
  let folder: string;
  let aws: AwsIdentity;
  let gateway: TestGateway | undefined;
  beforeAll(() => buildImages('files'), 300_000);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-aws-'));
    aws = await startAwsIdentity(motoEndpoint(), dockerEnv().listenAddress);
  });
  afterEach(async () => {
    await gateway?.stop();
    gateway = undefined;
    await aws.close();
    await rm(folder, { recursive: true, force: true });
  });

  const expectRun = async (issuer: Issuer, settings: Record<string, string>) => {
    gateway = await startTestGateway({
      ...{ AWS_BUCKET_NAME: await makeBucket({ 'in/orders.csv': 'id\n1\n2\n' }), AWS_REGION: 'us-east-1' },
      ...{ AWS_ENDPOINT_URL_S3: aws.url, SCRIPT_CREDENTIALS: 'own', FILES_LAKE_PREFIX: 'in' },
      ...{ RUNNER: 'docker', IMAGE_PREFIX: E2E_PREFIX, PACKS: 'none', ...settings },
    });
    const { status, body } = await gateway.post('files');
    expect([status, body.error, body.result?.orders?.registros]).toEqual([200, undefined, 2]);
    expect(new Set(aws.calls.map((call) => call.issuer))).toEqual(new Set([issuer]));
  };

  it('are those of a folder of the Docker host, which is mounted', async () => {
    await writeFile(join(folder, 'credentials'), aws.credentialsFile());
    // The scripts' user is another one.
    await chmod(folder, 0o755);
    const file = join(folder, 'credentials');
    await expectRun('file', { AWS_SHARED_CREDENTIALS_FILE: file, SCRIPT_AWS_DIR: folder });
  }, 120_000);

  it('are those of the instance, whose metadata they reach', async () => {
    const network = `ingesta-imds-${randomUUID().slice(0, 8)}`;
    const range = ['--subnet', '169.254.169.248/29', '--gateway', '169.254.169.249'];
    await docker(['network', 'create', ...range, network]);
    const { hostname, port } = new URL(aws.url);
    // What has the address of the metadata service leads here.
    const relay = `const net = require('node:net'); net.createServer((from) => {
      const to = net.connect(${port}, '${hostname}'); from.pipe(to).pipe(from);
      for (const end of [from, to]) end.on('error', () => end.destroy()); }).listen(80)`;
    const service = ['--network', network, '--ip', '169.254.169.254', dockerEnv().nodeImage];
    const id = (await docker(['run', '--detach', '--rm', ...service, 'node', '-e', relay])).trim();
    try {
      await expectRun('instance', { AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url, DOCKER_NETWORK: network });
    } finally {
      await docker(['rm', '--force', id]);
      await docker(['network', 'rm', network]);
    }
  }, 120_000);
});
