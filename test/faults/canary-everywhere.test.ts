import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { openLake } from '@ingesta/kit';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Client } from 'pg';
import { createPostgresql, type TestDatabase } from '../e2e/harness/databases';
import { startTestGateway, type TestGateway } from '../e2e/harness/gateway';
import { buildImages, containersOf, E2E_PREFIX } from '../e2e/harness/images';
import { runCommand } from '../services/command';
import { describeWith, dockerEnv, motoEndpoint, pgEnv } from '../services/need';
import { type S3Proxy, startS3Proxy } from './harness/s3-proxy';

const canary = (what: string) => `canary-${what}-${randomBytes(8).toString('hex')}`;
const ISSUER = 'https://id.example';

/** Moto is the lake: it takes session tokens, and the secrets of Secrets Manager are next to it. */
describeWith(['docker', 'moto', 'postgresql'], 'fault 29: a secret in every place where one can be', () => {
  const secrets: Record<string, string> = {
    ...{ file: canary('file'), manager: canary('manager'), key: canary('aws-key'), token: canary('aws-token') },
    api: `ing_${randomBytes(32).toString('base64url')}`,
    wrongApi: canary('wrong-key'),
  };
  const roles = { file: `file_${randomUUID().slice(0, 8)}`, manager: `manager_${randomUUID().slice(0, 8)}` };
  let [database, line, issuer, gateway, folder] = [] as unknown as [TestDatabase, S3Proxy, Server, TestGateway, string];
  let lakeEnv: Record<string, string>;

  beforeAll(async () => {
    await buildImages('postgresql');
    database = await createPostgresql();
    await database.query('CREATE TABLE held (id int); INSERT INTO held VALUES (1)');
    for (const [where, role] of Object.entries(roles)) {
      await database.query(`CREATE ROLE ${role} LOGIN PASSWORD '${secrets[where]}'; GRANT SELECT ON held TO ${role}`);
    }
    folder = await mkdtemp(join(tmpdir(), 'ingesta-canary-'));
    await writeFile(join(folder, 'password'), `${secrets.file}\n`);

    const aws = { accessKeyId: 'ASIACANARY', secretAccessKey: secrets.key!, sessionToken: secrets.token! };
    const client = { endpoint: motoEndpoint(), region: 'us-east-1', credentials: aws };
    const bucket = `e2e-${randomUUID()}`;
    await new S3Client({ ...client, forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: bucket }));
    const secretId = `canary-${randomUUID()}`;
    await new SecretsManagerClient(client).send(
      new CreateSecretCommand({
        Name: secretId,
        SecretString: JSON.stringify({ POSTGRES_USER: roles.manager, POSTGRES_PASSWORD: secrets.manager }),
      }),
    );
    const keys = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one' };
    issuer = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] }))).listen(0, '127.0.0.1');
    await once(issuer, 'listening');
    const sign = (expires: string) =>
      new SignJWT({ iss: ISSUER, aud: 'ingesta', sub: 'someone', scope: 'ingesta:*' })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setExpirationTime(expires)
        .sign(keys.privateKey);
    secrets.jwt = await sign('5m');
    secrets.oldJwt = await sign('-5m');

    const { listenAddress } = dockerEnv();
    line = await startS3Proxy(new URL(motoEndpoint()), listenAddress);
    lakeEnv = {
      ...{ AWS_BUCKET_NAME: bucket, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'ASIACANARY' },
      AWS_SECRET_ACCESS_KEY: secrets.key!,
      AWS_SESSION_TOKEN: secrets.token!,
      AWS_ENDPOINT_URL_S3: `http://${listenAddress}:${line.port}`,
    };
    const { POSTGRES_PASSWORD: _, POSTGRES_USER: __, ...place } = database.settings(true);
    const second = Object.fromEntries(Object.entries(place).map(([name, value]) => [`SECOND_${name}`, value]));
    const digest = createHash('sha256').update(secrets.api!).digest('hex');
    gateway = await startTestGateway({
      ...{ RUNNER: 'docker', IMAGE_PREFIX: E2E_PREFIX, PACKS: 'none', LOG_LEVEL: 'debug', RUN_ATTEMPTS: '1' },
      ...lakeEnv,
      ...{ ...place, POSTGRES_USER: roles.file, POSTGRES_PASSWORD_FILE: join(folder, 'password') },
      ...{ SOURCES: 'second=postgresql:SECOND_', ...second, SECOND_POSTGRES_SECRET_ID: secretId },
      ...{ USE_SECRETS_MANAGER: 'true', AWS_ENDPOINT_URL_SECRETS_MANAGER: motoEndpoint() },
      API_KEYS: `admin:${digest}:*`,
      JWT_JWKS_URL: `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/`,
      ...{ JWT_ISSUER: ISSUER, JWT_AUDIENCE: 'ingesta' },
    });
  }, 300_000);
  afterAll(async () => {
    await gateway?.stop();
    await line?.close();
    issuer?.close();
    for (const role of Object.values(roles))
      await database?.query(`REVOKE ALL ON held FROM ${role}; DROP ROLE ${role}`);
    await database?.drop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('shows in no log, answer, metric, record, object, and in no `docker inspect`', async () => {
    const told: string[] = [];
    const ask = async (method: string, path: string, headers: Record<string, string>) => {
      const answer = await fetch(gateway.url + path, { method, headers });
      const text = await answer.text();
      told.push(path, text, JSON.stringify([...answer.headers]));
      return { status: answer.status, text };
    };
    const [byKey, byToken] = [secrets.api, secrets.jwt].map((value) => ({ Authorization: `Bearer ${value}` }));
    // Held, so that its containers can be looked at.
    const { host, port, user, password } = pgEnv();
    const holder = new Client({ host, port, user, password, database: database.name });
    await holder.connect();
    for (const source of ['postgresql', 'second']) {
      await holder.query('BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE');
      const begun = await ask('POST', `/api/ingesta/${source}`, { ...byKey!, Prefer: 'respond-async' });
      const { run_id } = JSON.parse(begun.text);
      let ids: string[] = [];
      while (ids.length === 0) ids = await containersOf(run_id);
      told.push(await runCommand('docker', ['inspect', ...ids]));
      await holder.query('ROLLBACK');
      const run = `/api/ingesta/runs/${run_id}`;
      while (JSON.parse((await ask('GET', run, byToken!)).text).state === 'running') await sleep(200);
      expect(JSON.parse((await ask('GET', run, byToken!)).text)).toMatchObject({ state: 'succeeded' });
      for (const part of ['logs', 'events']) await ask('GET', `${run}/${part}`, byKey!);
    }
    await holder.end();
    // What goes wrong is told at more length: refused by the gateway, by the database, by the lake.
    for (const wrong of [secrets.wrongApi, secrets.oldJwt]) {
      expect(await ask('GET', '/api/ingesta', { Authorization: `Bearer ${wrong}` })).toMatchObject({ status: 401 });
    }
    for (const role of Object.values(roles)) await database.query(`ALTER ROLE ${role} PASSWORD 'another'`);
    for (const source of ['postgresql', 'second']) {
      expect((await ask('POST', `/api/ingesta/${source}`, byKey!)).text).toContain('SOURCE_AUTH');
    }
    void line.strike(
      ({ headers }) => headers['x-amz-security-token'] !== undefined,
      ({ reply }) => reply({ status: 400, headers: {}, body: Buffer.from('<Error><Code>ExpiredToken</Code></Error>') }),
      Number.POSITIVE_INFINITY,
    );
    expect((await ask('POST', '/api/ingesta/postgresql', byKey!)).text).toContain('LAKE_');
    line.calm();
    for (const path of [
      '/metrics',
      '/health',
      '/api/ingesta/health',
      '/api/ingesta',
      '/api/ingesta/runs',
      '/openapi.json',
    ]) {
      await ask('GET', path, byKey!);
    }
    told.push(await gateway.log());
    const lake = await openLake({ ...lakeEnv, AWS_ENDPOINT_URL_S3: motoEndpoint() });
    for await (const { key } of lake.list('')) told.push(key, (await lake.get(key))!.body.toString());
    await lake.close();

    const all = told.join('\n');
    // It looks where there is something to see: a log, a record, an object, a container, a metric.
    for (const seen of ['SOURCE_AUTH', 'requested_by', '_ingesta/current/second.json', 'HostConfig', 'ingesta_runs'])
      expect([seen, all.includes(seen)]).toEqual([seen, true]);
    expect(Object.entries(secrets).filter(([, secret]) => all.includes(secret))).toEqual([]);
  }, 300_000);
});
