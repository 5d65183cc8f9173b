import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { type Lake, LakeError, lockKey, openLake } from '@ingesta/kit';
import { describeWith, s3Env } from '../../../test/services/need';
import type { JobSpec } from '../runners/runner';
import { FakeRunner } from '../testing/fake-runner';
import { capturedLog, exportTables, givenConfig, givenLake, givenOutcome, lakeWith, readJson } from '../testing/given';
import type { IngestRequest } from './job';
import { RunsService } from './runs-service';
import { IngestService } from './service';

const ALL: IngestRequest = { tables: null, format: 'csv', dryRun: false };

/** What readers of the fixed paths see, whatever the lake is. */
function suite(open: () => Promise<{ lake: Lake; env: Record<string, string>; remove: () => Promise<void> }>): void {
  let lake: Lake;
  let env: Record<string, string>;
  let remove: () => Promise<void>;
  beforeEach(async () => ({ lake, env, remove } = await open()));
  afterEach(() => remove());

  function gateway(tables: () => Record<string, string>, through: Lake = lake) {
    const runner = new FakeRunner(async ({ job }: JobSpec) => {
      const wanted = Object.entries(tables()).filter(([table]) => job.tables?.includes(table) ?? true);
      const result = await exportTables(lake, job, Object.fromEntries(wanted));
      return givenOutcome({ stdout: Buffer.from(JSON.stringify(result)) });
    });
    const { log, lines } = capturedLog();
    const service = new IngestService({
      config: givenConfig({ ...env, LATEST_TEMPLATE: '{db}/{table}/{table}.csv' }),
      gateway: 'gateway-1',
      lake: async () => through,
      runner,
      log,
      credentials: async () => ({}),
      secrets: async () => ({}),
      lakeFolder: async () => null,
      datasets: async () => [],
    });
    return { service, lines };
  }
  const copyOf = async (table: string) => (await lake.get(`mysql/${table}/${table}.csv`))?.body.toString();

  it('show the snapshot that was published last', async () => {
    let generation = 1;
    const { service } = gateway(() => ({ users: `id\n${generation}\n`, orders: `id\n${generation}\n` }));
    for (; generation <= 2; generation += 1) {
      expect((await service.ingest('mysql', ALL)).warnings).toEqual([]);
      expect([await copyOf('users'), await copyOf('orders')]).toEqual(Array(2).fill(`id\n${generation}\n`));
    }
    await service.ingest('mysql', { ...ALL, tables: ['users'] });
    expect([await copyOf('users'), await copyOf('orders')]).toEqual(['id\n3\n', 'id\n2\n']);
  });

  it('are renewed under the lease, after the publication', async () => {
    const during: unknown[] = [];
    const through = lakeWith(lake, {
      copy: async (...args) => {
        during.push(await readJson(lake, lockKey('mysql')), await readJson(lake, '_ingesta/current/mysql.json'));
        await lake.copy(...args);
      },
    });
    const { run_id } = await gateway(() => ({ users: 'id\n1\n' }), through).service.ingest('mysql', ALL);
    expect(during).toMatchObject([{ state: 'held', run_id }, { manifest: expect.stringContaining(run_id) }]);
  });

  it('stay whole and old where they cannot be renewed: the run warns, and the next one of any table makes up for it', async () => {
    let generation = 1;
    const tables = () => ({ users: `id\n${generation}\n`, orders: `id\n${generation}\n` });
    await gateway(tables).service.ingest('mysql', ALL);
    generation = 2;
    const denied = lakeWith(lake, {
      copy: async () => {
        throw new LakeError('denied', 'not allowed to s3:PutObject', 'Grant it.');
      },
    });
    const { service, lines } = gateway(tables, denied);
    const answer = await service.ingest('mysql', ALL);
    const warning = expect.stringMatching(/LATEST_TEMPLATE.*users, orders.*not allowed to s3:PutObject/);
    expect(answer).toMatchObject({ status: 'success', warnings: [warning] });
    expect(lines).toContainEqual(expect.stringContaining('LATEST_TEMPLATE'));
    const runs = new RunsService({ lake: async () => lake, ingestion: service });
    expect(await runs.find(answer.run_id)).toMatchObject({ state: 'succeeded', warnings: [warning] });
    expect((await runs.logs(answer.run_id)).toString()).toContain('LATEST_TEMPLATE');
    expect([await copyOf('users'), await copyOf('orders')]).toEqual(['id\n1\n', 'id\n1\n']);
    const repaired = await gateway(tables).service.ingest('mysql', { ...ALL, tables: ['users'] });
    expect(repaired.warnings).toEqual([]);
    expect([await copyOf('users'), await copyOf('orders')]).toEqual(['id\n2\n', 'id\n2\n']);
  });

  it('are not waited for by who cancels: what was published has succeeded', async () => {
    let runId = '';
    const through = lakeWith(lake, {
      copy: async (_from, _to, { signal }) => {
        service.cancel({ database: 'mysql', run_id: runId });
        signal!.throwIfAborted();
      },
    });
    const { service } = gateway(() => ({ users: 'id\n1\n' }), through);
    const started = await service.start('mysql', ALL);
    runId = started.runId;
    expect((await started.done).warnings).toEqual([expect.stringContaining('LATEST_TEMPLATE')]);
    expect(await readJson(lake, lockKey('mysql'))).toMatchObject({ state: 'free' });
    expect(await copyOf('users')).toBeUndefined();
  });
}

describe('the stable copies of a folder lake', () => suite(givenLake));

describeWith(['s3'], 'the stable copies of a bucket', () => {
  suite(async () => {
    const { endpoint, accessKey, secretKey } = s3Env();
    const bucket = `latest-${randomUUID()}`;
    const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    const env = {
      AWS_BUCKET_NAME: bucket,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: accessKey,
      AWS_SECRET_ACCESS_KEY: secretKey,
      DOCKER_NETWORK: 'host',
    };
    const lake = await openLake(env);
    return { lake, env, remove: () => lake.close() };
  });
});
