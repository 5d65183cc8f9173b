import { randomUUID } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { createPostgresql, type TestDatabase } from '../e2e/harness/databases';
import { buildImages, E2E_PREFIX } from '../e2e/harness/images';
import { callerOf } from '../faults/harness/caller';
import { type S3Proxy, startS3Proxy } from '../faults/harness/s3-proxy';
import { runCommand } from '../services/command';
import { describeWith, dockerEnv, motoEndpoint } from '../services/need';
import { freePort } from '../services/server-process';
import { type Composed, compose } from './compose';

const EXPIRED = '<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>';

/**
 * The image as it is deployed: by compose, as uid 1000 with nothing but the socket's group, with the short-lived credentials of a
 * mounted `~/.aws`. Moto is the S3 server: others here know no session tokens.
 */
describeWith(['compose', 'docker', 'moto', 'postgresql'], 'docker-compose.yml', () => {
  let database: TestDatabase;
  let line: S3Proxy;
  let composed: Composed;
  let port: number;
  let settings: Record<string, string>;
  /** Tokens in the order of the calls, and those that count no more. */
  const tokens: string[] = [];
  const expired = new Set<string>();

  beforeAll(async () => {
    await buildImages('gateway', 'postgresql');
    database = await createPostgresql();
    await database.query('CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (2)');
    const bucket = `e2e-${randomUUID()}`;
    const credentials = { accessKeyId: 'admin', secretAccessKey: 'admin' };
    const s3 = new S3Client({ endpoint: motoEndpoint(), region: 'us-east-1', forcePathStyle: true, credentials });
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    line = await startS3Proxy(new URL(motoEndpoint()), dockerEnv().listenAddress);
    const refuse = { status: 400, headers: { 'content-type': 'application/xml' }, body: Buffer.from(EXPIRED) };
    void line.strike(
      ({ headers }) => {
        const token = String(headers['x-amz-security-token']);
        if (tokens.at(-1) !== token) tokens.push(token);
        return expired.has(token);
      },
      ({ reply }) => reply(refuse),
      Number.POSITIVE_INFINITY,
    );
    port = await freePort();
    settings = {
      ...database.settings(true),
      ...{ AWS_BUCKET_NAME: bucket, AWS_REGION: 'us-east-1', RUNNER: 'docker', PACKS: 'none', PORT: String(port) },
      AWS_ENDPOINT_URL_S3: `http://host.docker.internal:${line.port}`,
      IMAGE_PREFIX: E2E_PREFIX,
    };
  }, 300_000);
  afterAll(async () => {
    await line?.close();
    await database?.drop();
  });
  afterEach(() => composed?.remove(), 60_000);

  const writeCredentials = (token: string) =>
    writeFile(
      join(composed.home, '.aws/credentials'),
      `[default]\naws_access_key_id = ASIA${token}\naws_secret_access_key = secret-${token}\naws_session_token = ${token}\n`,
    );

  it('runs as uid 1000 with the socket’s group, and follows the tokens of ~/.aws', async () => {
    const group = (await stat('/var/run/docker.sock')).gid;
    composed = await compose('docker-compose.yml', settings, { DOCKER_GID: String(group) });
    await writeCredentials('first');
    await composed.run('up', '--detach', '--wait', '--no-build');
    const id = await composed.container('api-gateway');
    const { Config, HostConfig } = JSON.parse(await runCommand('docker', ['inspect', id]))[0];
    expect([Config.User, HostConfig.GroupAdd, HostConfig.ReadonlyRootfs, HostConfig.CapDrop]).toEqual([
      ...['1000:1000', [String(group)], true, ['ALL']],
    ]);
    const gateway = callerOf(`http://127.0.0.1:${port}`);
    const first = await gateway.post();
    expect([first.status, first.body.result?.orders?.registros]).toEqual([200, 2]);
    expect(new Set(tokens)).toEqual(new Set(['first']));

    await writeCredentials('second');
    // The gateway looks again within seconds; only then the old token ends, as tools renew them.
    while (tokens.at(-1) !== 'second') {
      await sleep(500);
      await gateway.get('/api/ingesta/health');
      await gateway.get(`/api/ingesta/runs?limit=1`);
    }
    expired.add('first');
    tokens.length = 0;
    const second = await gateway.post();
    expect([second.status, second.body.error]).toEqual([200, undefined]);
    // Of the gateway and of its script.
    expect(new Set(tokens)).toEqual(new Set(['second']));

    // And every source once, as cron does it.
    expect(await composed.run('run', '--rm', 'ingesta', 'postgresql')).toContain('postgresql');
  }, 300_000);

  it('says DOCKER_GID where the group is not the socket’s', async () => {
    composed = await compose('docker-compose.yml', settings, { DOCKER_GID: '54321' });
    await writeCredentials('second');
    await composed.run('up', '--detach', '--no-build');
    const gateway = callerOf(`http://127.0.0.1:${port}`);
    while (!(await gateway.get('/livez').catch(() => null))) await sleep(200);
    const { status, body } = await gateway.post();
    expect([status, body.error.code, body.error.hint]).toEqual([
      ...[503, 'RUNNER_UNAVAILABLE', expect.stringContaining('DOCKER_GID')],
    ]);
  }, 120_000);
});
