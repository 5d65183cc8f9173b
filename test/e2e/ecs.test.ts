import { join } from 'node:path';
import { EcsStandIn } from '../services/ecs-stand-in';
import { describeWith } from '../services/need';
import { createPostgresql, type TestDatabase } from './harness/databases';
import { expectFailure, ROOT, startTestGateway, type TestGateway } from './harness/gateway';
import { type Bucket, createBucket } from './harness/s3';
import { SAMPLE_SQL, USERS_CSV } from './sample-tables';

/** Leads to this machine as localhost does, which the gateway rightly refuses for tasks. */
const reachable = (url: string) => url.replace(/localhost|127\.0\.0\.1/, '0.0.0.0');

describeWith(['postgresql', 's3'], 'scripts as ECS tasks', () => {
  let database: TestDatabase;
  let bucket: Bucket;
  let ecs: EcsStandIn;
  let settings: Record<string, string>;
  let gateway: TestGateway;
  let password: string;

  beforeAll(async () => {
    database = await createPostgresql();
    for (const sql of SAMPLE_SQL) await database.query(sql);
    bucket = await createBucket();
    const { POSTGRES_PASSWORD, ...connection } = database.settings(false);
    const { AWS_ENDPOINT_URL_S3, ...lake } = bucket.settings(false);
    password = POSTGRES_PASSWORD!;
    ecs = new EcsStandIn();
    ecs.definitions.set('ingesta-postgresql', {
      command: [process.execPath, 'dist/main.js'],
      cwd: join(ROOT, 'scripts/postgresql'),
      container: {
        name: 'script',
        image: 'registry.example/ingesta-postgresql:latest',
        environment: [{ name: 'INGESTA_SOURCE', value: 'postgresql' }],
        secrets: [{ name: 'POSTGRES_PASSWORD', valueFrom: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:pg' }],
        logConfiguration: {
          logDriver: 'awslogs',
          options: { 'awslogs-group': '/ingesta', 'awslogs-region': 'us-east-1', 'awslogs-stream-prefix': 'pg' },
        },
      },
      // The last two stand for the task's role.
      secrets: {
        POSTGRES_PASSWORD: password,
        AWS_ACCESS_KEY_ID: lake.AWS_ACCESS_KEY_ID!,
        AWS_SECRET_ACCESS_KEY: lake.AWS_SECRET_ACCESS_KEY!,
      },
    });
    settings = {
      ...lake,
      ...connection,
      POSTGRES_HOST: reachable(connection.POSTGRES_HOST!),
      AWS_ENDPOINT_URL_S3: reachable(AWS_ENDPOINT_URL_S3!),
      AWS_ENDPOINT_URL_ECS: await ecs.start(),
      USE_AWS_ECS: 'true',
      ECS_CLUSTER: 'suite',
      ECS_SUBNETS: 'subnet-1',
      LEASE_TTL: '10',
      PACKS: 'none',
    };
    gateway = await startTestGateway(settings);
  });
  afterAll(async () => {
    await gateway?.stop();
    await ecs?.stop();
    await database?.drop();
  });

  it('answers with the contract, publishes, and says where the log is', async () => {
    const { status, body } = await gateway.post('postgresql');
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'success', consistency: 'snapshot' } });
    const key = body.result.users.url.slice(`s3://${bucket.name}/`.length);
    expect(await bucket.read(key)).toBe(USERS_CSV);
    const run = `/api/ingesta/runs/${body.run_id}`;
    expect((await gateway.get(run)).body).toMatchObject({ state: 'succeeded', runner: 'ecs' });
    const logs = await fetch(`${gateway.url}${run}/logs`);
    expect(await logs.text()).toContain('console.aws.amazon.com/cloudwatch');
    expect((await gateway.get('/api/ingesta/health')).body.runner).toMatchObject({ state: 'ok', detail: 'runner ecs' });
  });

  it('puts no secret into the lake, the request, or the log', async () => {
    const { body } = await gateway.post('postgresql');
    const job = await bucket.read(`_ingesta/runs/postgresql/${body.run_id}/job-1.json`);
    expect(Object.keys(JSON.parse(job).env)).not.toContain('POSTGRES_PASSWORD');
    const keys = (await bucket.keys()).filter((key) => key.includes(body.run_id));
    const texts = await Promise.all(keys.map((key) => bucket.read(key)));
    for (const secret of [settings.AWS_SECRET_ACCESS_KEY!, `"${password}"`]) {
      expect(texts.join()).not.toContain(secret);
      expect(JSON.stringify(ecs.calls)).not.toContain(secret);
      expect(await gateway.log()).not.toContain(secret);
    }
  });

  it('tells a failure in the script’s own words', async () => {
    const answer = await gateway.post('postgresql', { tables: ['nope'] });
    expectFailure(answer, 422, 'TABLE_NOT_FOUND');
    expect(answer.body.error.hint).toContain('empty_table, users');
    ecs.definitions.get('ingesta-postgresql')!.secrets!.POSTGRES_PASSWORD = 'wrong';
    const refused = await gateway.post('postgresql');
    ecs.definitions.get('ingesta-postgresql')!.secrets!.POSTGRES_PASSWORD = password;
    expectFailure(refused, 502, 'SOURCE_AUTH');
  });

  it('plans, and leaves nothing of it', async () => {
    const before = await bucket.keys();
    const { status, body } = await gateway.post('postgresql', { dry_run: true });
    expect({ status, body }).toMatchObject({ status: 200, body: { plan: { users: expect.anything() } } });
    expect(await bucket.keys()).toEqual(before);
  });

  describe('while a run goes on', () => {
    beforeEach(() => database.query('BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE'));
    afterEach(() => database.query('ROLLBACK'));

    /** A run whose task waits for the lock. */
    async function held(on: TestGateway): Promise<string> {
      const headers = { prefer: 'respond-async' };
      const response = await fetch(`${on.url}/api/ingesta/postgresql`, { method: 'POST', headers });
      const { run_id } = (await response.json()) as { run_id: string };
      await until(async () => ecs.running().length === 1);
      return run_id;
    }

    it('cancelling it stops its task', async () => {
      const run = await held(gateway);
      const cancelled = await fetch(`${gateway.url}/api/ingesta/runs/${run}`, { method: 'DELETE' });
      expect(cancelled.ok).toBe(true);
      await until(async () => ecs.running().length === 0);
      await until(async () => (await gateway.get(`/api/ingesta/runs/${run}`)).body.state === 'cancelled');
    });

    it('a gateway that is stopped stops its task, in order', async () => {
      const second = await startTestGateway(settings);
      await held(second);
      expect(await second.stop()).toBe(0);
      await until(async () => ecs.running().length === 0);
    });

    it('a gateway that is killed leaves its task to the others', async () => {
      const second = await startTestGateway(settings);
      const run = await held(second);
      await second.stop('SIGKILL');
      await until(async () => (await gateway.get(`/api/ingesta/runs/${run}`)).body.state === 'failed');
      await until(async () => ecs.running().length === 0);
      await until(async () => (await gateway.log()).includes('removed what a gateway that went away has left'));
    });
  });
});

/** Looks until it holds; the test's own time is the limit. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 100));
}
