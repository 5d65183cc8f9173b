import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { parseConfig } from '../config';
import { logUrl, readDefinition, toRunTask } from './ecs-convert';
import type { JobSpec } from './runner';

const TESTDATA = join(__dirname, '../testdata/ecs');
const read = (name: string) => JSON.parse(readFileSync(join(TESTDATA, name), 'utf8'));
const SPEC = '.job-spec.json';
const cases = readdirSync(TESTDATA)
  .filter((name) => name.endsWith(SPEC))
  .map((name) => name.slice(0, -SPEC.length));
const ecsOf = (env: Record<string, string>) =>
  parseConfig({ AWS_BUCKET_NAME: 'bucket', RUNNER: 'ecs', ECS_SUBNETS: 'subnet-1a,subnet-1b', ...env }).ecs!;
const ECS = {
  defaults: ecsOf({}),
  'everything-set': ecsOf({ ECS_SECURITY_GROUPS: 'sg-1', ECS_ASSIGN_PUBLIC_IP: 'on' }),
};

it('has a case for each golden job', () => expect(cases).toEqual(Object.keys(ECS)));

describe.each(Object.entries(ECS))('toRunTask, %s', (name, ecs) => {
  const spec: JobSpec = read(name + SPEC);
  const request = toRunTask(spec, 'script', ecs);

  it('gives the golden request', () => expect(request).toEqual(read(`${name}.run-task.json`)));

  it('shows nothing of the job but where it and the lake are', () => {
    const [{ environment = [] } = {}] = request.overrides!.containerOverrides!;
    for (const { name } of environment) expect(name).toMatch(/^(INGESTA_JOB|LAKE_PREFIX|AWS_BUCKET_NAME|AWS_REGION)$/);
  });

  it('stays far below what overrides may take, whatever the job holds', () => {
    const job = { ...spec.job, env: { ...spec.job.env, MYSQL_SSL_CA: 'x'.repeat(100_000) } };
    expect(JSON.stringify(toRunTask({ ...spec, job }, 'script', ecs).overrides).length).toBeLessThan(2000);
  });
});

const DEFINITION: TaskDefinition = {
  taskDefinitionArn: 'arn:aws:ecs:eu-west-1:111122223333:task-definition/ingesta-mysql:7',
  containerDefinitions: [
    { name: 'sidecar', image: 'proxy', essential: false },
    {
      name: 'script',
      image: 'ingesta-mysql:latest',
      environment: [{ name: 'MYSQL_TABLES', value: 'users' }],
      secrets: [
        { name: 'MYSQL_PASSWORD', valueFrom: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db:password::' },
      ],
      logConfiguration: {
        logDriver: 'awslogs',
        options: { 'awslogs-group': '/ecs/in gesta', 'awslogs-region': 'eu-west-1', 'awslogs-stream-prefix': 'run' },
      },
    },
  ],
};

it('reads of a task definition what a run needs', () => {
  expect(readDefinition(DEFINITION)).toEqual({
    arn: DEFINITION.taskDefinitionArn,
    container: 'script',
    image: 'ingesta-mysql:latest',
    provides: ['MYSQL_PASSWORD', 'MYSQL_TABLES'],
    logs: { group: '/ecs/in gesta', region: 'eu-west-1', prefix: 'run' },
  });
});

it('knows the address of a log, and that there is none', () => {
  const definition = readDefinition(DEFINITION);
  expect(logUrl(definition, 'arn:aws:ecs:eu-west-1:111122223333:task/cluster/0af1')).toBe(
    'https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1' +
      '#logsV2:log-groups/log-group/$252Fecs$252Fin$2520gesta/log-events/run$252Fscript$252F0af1',
  );
  expect(logUrl({ ...definition, logs: null }, 'arn')).toBeNull();
});
