import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateClusterCommand,
  DescribeTasksCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import { type Lake, runKeys } from '@ingesta/kit';
import { motoNetwork } from '../../../test/services/moto-network';
import { describeWith, motoEndpoint } from '../../../test/services/need';
import { awsSettings } from '../aws-settings';
import { parseConfig } from '../config';
import { ShippedSources } from '../sources/shipped-sources';
import { givenJob, givenLake, givenSpec } from '../testing/given';
import { EcsApi } from './ecs-api';
import { EcsRunner } from './ecs-runner';
import { ignored, never, SUITE_SOURCE } from './runner-suite';

const LABELS = { 'ingesta.deployment': 'moto', 'ingesta.db': 'suite', 'ingesta.deadline': '2030-01-01T00:00:00.000Z' };

/** What ECS itself makes of our requests; its tasks run nothing, so the test does the script's part. */
describeWith(['moto'], 'ECS as moto knows it', () => {
  let folder: string;
  let lake: Lake;
  let removeLake: () => Promise<void>;
  let client: ECSClient;
  let api: EcsApi;
  let runner: EcsRunner;
  const cluster = `test-${randomUUID()}`;
  const taskPrefix = `${cluster}-`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-moto-'));
    await mkdir(join(folder, 'suite'));
    await writeFile(join(folder, 'suite/source.json'), JSON.stringify(SUITE_SOURCE));
    const made = await givenLake();
    lake = made.lake;
    removeLake = made.remove;
    const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };
    const settings = awsSettings({ ...keys, AWS_ENDPOINT_URL: motoEndpoint() }, 'ECS');
    client = new ECSClient(settings);
    const { subnet, securityGroup } = await motoNetwork(motoEndpoint());
    const env = { RUNNER: 'ecs', ECS_CLUSTER: cluster, ECS_TASK_PREFIX: taskPrefix, ECS_SUBNETS: subnet };
    const config = parseConfig({ AWS_BUCKET_NAME: 'b-1', ...env, ECS_SECURITY_GROUPS: securityGroup }).ecs!;
    api = new EcsApi(config.cluster, settings);
    const shipped = new ShippedSources(folder);
    runner = new EcsRunner({ api, config, shipped, connections: new Map(), lake: async () => lake, pollMs: 10 });
  });
  afterAll(async () => {
    await removeLake();
    await rm(folder, { recursive: true });
  });

  const given = (run_id: string) => {
    const reference = `${taskPrefix}suite`;
    const source = { name: 'suite', envPrefix: '', runner: 'ecs', reference, digest: null, description: SUITE_SOURCE };
    return givenSpec(source as never, {
      job: givenJob({ database: 'suite', run_id, env: { AWS_BUCKET_NAME: 'b-1' } }),
      labels: { ...LABELS, 'ingesta.run': run_id },
    });
  };

  it('has nothing until the cluster and the task definition are there', async () => {
    await expect(runner.check()).rejects.toMatchObject({ code: 'RUNNER_UNAVAILABLE' });
    await expect(runner.resolve('suite')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    expect(await runner.list()).toEqual([expect.objectContaining({ name: 'suite', present: false })]);

    await client.send(new CreateClusterCommand({ clusterName: cluster }));
    const secrets = [
      { name: 'SUITE_PASSWORD', valueFrom: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:suite' },
    ];
    const container = { name: 'script', image: 'suite:1', essential: true, cpu: 256, memory: 512, secrets };
    const definition = { requiresCompatibilities: ['FARGATE' as const], networkMode: 'awsvpc' as const, cpu: '256' };
    await client.send(
      new RegisterTaskDefinitionCommand({
        ...definition,
        family: `${taskPrefix}suite`,
        memory: '512',
        containerDefinitions: [container],
      }),
    );

    await runner.check();
    expect(await runner.resolve('suite')).toMatchObject({ provides: ['SUITE_PASSWORD'] });
    expect(await runner.list()).toEqual([expect.objectContaining({ name: 'suite', present: true })]);
  });

  it('runs a task to its end, and takes the answer from the lake', async () => {
    const spec = given('01890a5d-ac96-774b-bcce-b302099a8057');
    await lake.putIfAbsent(runKeys('suite', spec.job.run_id).result(1), Buffer.from('"what the script left"'));
    const outcome = await runner.run(spec, never, ignored);
    expect(outcome).toMatchObject({ exitCode: 0, oomKilled: false, stdout: Buffer.from('"what the script left"') });
  });

  it('finds its tasks by deployment, with tags and overrides as they were sent, and stops one', async () => {
    const spec = given('01890a5d-ac96-774b-bcce-b302099a8058');
    await runner.run(spec, never, ignored);
    const found = await api.startedBy('ingesta-moto');
    const tasks = found
      .filter(({ tags }) => tags?.some(({ value }) => value === spec.job.run_id))
      .map(({ taskArn }) => taskArn!);
    expect(tasks).toHaveLength(1);
    const described = await client.send(new DescribeTasksCommand({ cluster, tasks, include: ['TAGS'] }));
    const [task] = described.tasks!;
    expect(Object.fromEntries(task!.tags!.map(({ key, value }) => [key, value]))).toEqual(spec.labels);
    expect(task!.overrides!.containerOverrides).toEqual([
      {
        name: 'script',
        environment: [
          { name: 'INGESTA_JOB', value: `lake:${runKeys('suite', spec.job.run_id).job(1)}` },
          { name: 'AWS_BUCKET_NAME', value: 'b-1' },
        ],
      },
    ]);
    expect(await runner.reap('moto', async ({ runId }) => runId === spec.job.run_id)).toEqual([spec.job.run_id]);
    const after = await client.send(new DescribeTasksCommand({ cluster, tasks }));
    expect(after.tasks![0]).toMatchObject({ desiredStatus: 'STOPPED', stoppedReason: 'The run of this task is over' });
  });
});
