import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeWith, dockerEnv } from '../services/need';
import { freePort } from '../services/server-process';
import { createPostgresql, type TestDatabase } from './harness/databases';
import { type Answer, expectFailure, startTestGateway, type TestGateway } from './harness/gateway';
import { buildForeignSource, buildImages, containersOf, E2E_PREFIX } from './harness/images';
import { type Bucket, createBucket } from './harness/s3';

/** Starts a gateway for one question. */
async function ask<T>(settings: Record<string, string>, question: (gateway: TestGateway) => Promise<T>): Promise<T> {
  const gateway = await startTestGateway({ RUNNER: 'docker', IMAGE_PREFIX: E2E_PREFIX, ...settings });
  try {
    return await question(gateway);
  } finally {
    await gateway.stop();
  }
}

/** The right code and status, and nothing left: no container, no pointer. */
async function expectNothingLeft(answer: Answer, bucket: Bucket): Promise<void> {
  expect(await containersOf(answer.body.error.run_id)).toEqual([]);
  const pointers = (await bucket.keys()).filter((key) => key.startsWith('_ingesta/current/'));
  // A run that began has fenced; one that failed has made nothing visible.
  for (const key of pointers) expect(JSON.parse(await bucket.read(key))).toMatchObject({ manifest: null });
  expect(await bucket.unfinishedUploads()).toBe(0);
}

describeWith(['docker', 's3', 'postgresql'], 'every failure of a run says what it is', () => {
  let database: TestDatabase;
  let bucket: Bucket;
  let good: Record<string, string>;

  beforeAll(async () => {
    await buildImages('postgresql');
    database = await createPostgresql();
    await database.query('CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 1000)');
    bucket = await createBucket();
    good = { ...database.settings(true), ...bucket.settings(true) };
  });
  afterAll(() => database?.drop());

  const post = (settings: Record<string, string>, body?: object) =>
    ask({ ...good, ...settings }, (gateway) => gateway.post('postgresql', body));

  it('image missing', async () => {
    const answer = await post({ IMAGE_PREFIX: 'ingesta-absent-' });
    expectFailure(answer, 503, 'IMAGE_NOT_FOUND');
    expect(answer.body.error.hint).toContain('./build-images.sh postgresql');
  });

  it('unknown source', async () => {
    const answer = await ask(good, (gateway) => gateway.post('oracle'));
    expectFailure(answer, 404, 'UNKNOWN_SOURCE');
    expect(answer.body.error.hint).toContain('postgresql');
  });

  it('daemon absent', async () => {
    const answer = await post({ DOCKER_HOST: 'unix:///nonexistent/docker.sock' });
    expectFailure(answer, 503, 'RUNNER_UNAVAILABLE');
  });

  it('settings missing: every one is named', async () => {
    const answer = await post({ POSTGRES_HOST: '', POSTGRES_DATABASE: '' });
    expectFailure(answer, 422, 'SOURCE_CONFIG');
    expect(answer.body.error.message).toMatch(/POSTGRES_HOST.*POSTGRES_DB/s);
  });

  it('localhost would be the container itself', async () => {
    const answer = await post({ POSTGRES_HOST: 'localhost' });
    expectFailure(answer, 422, 'SOURCE_CONFIG');
    expect(answer.body.error.message).toContain('host.docker.internal');
  });

  it('database unreachable', async () => {
    const answer = await post({ POSTGRES_PORT: String(await freePort()) });
    expectFailure(answer, 502, 'SOURCE_UNAVAILABLE');
    await expectNothingLeft(answer, bucket);
  });

  it('wrong password, which is not repeated', async () => {
    const answer = await post({ POSTGRES_PASSWORD: 'wrong-CANARY-password' });
    expectFailure(answer, 502, 'SOURCE_AUTH');
    expect(JSON.stringify(answer.body)).not.toContain('CANARY');
    await expectNothingLeft(answer, bucket);
  });

  it('table missing: nothing is extracted', async () => {
    const before = (await bucket.keys()).filter((key) => !key.startsWith('_ingesta/'));
    const answer = await post({}, { tables: ['t', 'missing'] });
    expectFailure(answer, 422, 'TABLE_NOT_FOUND');
    expect((await bucket.keys()).filter((key) => !key.startsWith('_ingesta/'))).toEqual(before);
    await expectNothingLeft(answer, bucket);
  });

  it('bucket missing', async () => {
    const answer = await post({ AWS_BUCKET_NAME: 'there-is-no-such-bucket' });
    expectFailure(answer, 502, 'LAKE_DENIED');
    expect(answer.body.error.message + answer.body.error.hint).toContain('there-is-no-such-bucket');
  });

  it('bucket denied, and the key is not repeated', async () => {
    const answer = await post({ AWS_SECRET_ACCESS_KEY: 'wrong-CANARY-secret' });
    expectFailure(answer, 502, 'LAKE_DENIED');
    expect(JSON.stringify(answer.body)).not.toContain('CANARY');
  });

  it('lake unreachable', async () => {
    const answer = await post({
      AWS_ENDPOINT_URL_S3: `http://${dockerEnv().listenAddress}:${await freePort()}`,
      DOCKER_NETWORK: 'host',
      POSTGRES_HOST: '127.0.0.1',
    });
    expectFailure(answer, 502, 'LAKE_UNAVAILABLE');
  });

  it('a run that failed leaves a record that says so', async () => {
    const answer = await post({ POSTGRES_PASSWORD: 'nope-nope' });
    const record = JSON.parse(await bucket.read(`_ingesta/runs/postgresql/${answer.body.error.run_id}/run.json`));
    expect(record).toMatchObject({ state: 'failed', error: { code: 'SOURCE_AUTH' } });
    expect(record.finished_at).not.toBeNull();
  });
});

describeWith(['docker'], 'a script that misbehaves is contained', () => {
  let lake: string;
  let foreign: Awaited<ReturnType<typeof buildForeignSource>>;

  beforeAll(async () => {
    foreign = await buildForeignSource('villain');
    lake = await mkdtemp(join(tmpdir(), 'ingesta-villain-'));
  });
  afterAll(async () => {
    await foreign?.remove();
    if (lake) await rm(lake, { recursive: true, force: true });
  });

  const provoke = (mode: string, settings: Record<string, string> = {}) =>
    ask(
      {
        SCRIPTS_DIR: foreign.scripts,
        LAKE_URL: pathToFileURL(lake).href,
        SCRIPT_MEMORY_MB: '128',
        VILLAIN_MODE: mode,
        ...settings,
      },
      (gateway) => gateway.post('villain'),
    );

  it.each([
    ['garbage', /not the JSON/],
    ['silence', /stdout was lost or empty/],
    ['flood', /more than 16 MiB/],
    ['oom', /out of memory/],
    ['liar', /does not exist/],
    ['killed', /./],
  ])('%s', async (mode, message) => {
    const answer = await provoke(mode);
    expectFailure(answer, 502, 'SCRIPT_FAILED');
    expect(answer.body.error.message).toMatch(message);
    expect(await containersOf(answer.body.error.run_id)).toEqual([]);
    // The fence before the launch leaves a pointer, which names nothing.
    const pointer = JSON.parse(await readFile(join(lake, '_ingesta/current/villain.json'), 'utf8'));
    expect(pointer.manifest).toBeNull();
  });

  it('one that ignores its deadline', async () => {
    const answer = await provoke('stubborn', { RUN_TIMEOUT: '2' });
    expectFailure(answer, 504, 'RUN_TIMEOUT');
    expect(await containersOf(answer.body.error.run_id)).toEqual([]);
  });
});
