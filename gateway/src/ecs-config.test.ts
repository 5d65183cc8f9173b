import { parseConfig } from './config';

const ECS = { AWS_BUCKET_NAME: 'bucket', ECS_SUBNETS: 'subnet-1a, subnet-1b' };

it.each([{ RUNNER: 'ecs' }, { USE_AWS_ECS: 'true' }, { RUNNER: 'ecs', USE_AWS_ECS: 'true' }])(
  'is asked for by %j',
  (how) => {
    expect(parseConfig({ ...ECS, ...how })).toMatchObject({
      runner: 'ecs',
      ecs: {
        cluster: 'default',
        taskPrefix: 'ingesta-',
        subnets: ['subnet-1a', 'subnet-1b'],
        securityGroups: [],
        publicIp: false,
      },
    });
  },
);

it('is off unless asked for', () => {
  expect(parseConfig(ECS)).toMatchObject({ runner: 'auto', ecs: null });
  expect(parseConfig({ ...ECS, USE_AWS_ECS: 'false', RUNNER: 'docker' })).toMatchObject({
    runner: 'docker',
    ecs: null,
  });
});

it.each([
  [{ USE_AWS_ECS: 'true', RUNNER: 'docker' }, 'contradict'],
  [{ USE_AWS_ECS: 'false', RUNNER: 'ecs' }, 'contradict'],
  [{ RUNNER: 'ecs', ECS_SUBNETS: '' }, 'needs ECS_SUBNETS'],
  [{ RUNNER: 'ecs', ECS_SUBNETS: 'eu-west-1a' }, '"eu-west-1a" is none of subnet-'],
  [{ RUNNER: 'ecs', ECS_SECURITY_GROUPS: 'default' }, '"default" is none of sg-'],
  [{ RUNNER: 'ecs', ECS_TASK_PREFIX: 'a/b' }, 'ECS_TASK_PREFIX=a/b'],
  [{ RUNNER: 'ecs', ECS_ASSIGN_PUBLIC_IP: 'yes' }, 'ECS_ASSIGN_PUBLIC_IP=yes'],
  [{ RUNNER: 'ecs', LAKE_URL: 'file:///lake' }, 'needs the lake to be a bucket'],
])('refuses %j', (change, problem) => {
  expect(() => parseConfig({ ...ECS, ...change })).toThrow(problem);
});
