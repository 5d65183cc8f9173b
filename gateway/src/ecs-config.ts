import type { Env, SettingReaders } from './config';

/** Where and how script tasks run on Amazon ECS. */
export interface EcsConfig {
  readonly cluster: string;
  /** Source x is the task definition family `<taskPrefix>x`. */
  readonly taskPrefix: string;
  readonly subnets: readonly string[];
  /** Empty: the VPC's default group. */
  readonly securityGroups: readonly string[];
  readonly publicIp: boolean;
}

/** What launches scripts. */
export interface RunnerConfig {
  readonly runner: 'auto' | 'docker' | 'process' | 'ecs';
  /** Null unless the runner is ECS. */
  readonly ecs: EcsConfig | null;
}

/** Parses `RUNNER`, or `USE_AWS_ECS=true` for `ecs`, and the settings of ECS. Problems are added to `problems`. */
export function parseRunner(env: Env, readers: SettingReaders, problems: string[]): RunnerConfig {
  const { text, choice, matching } = readers;
  const named = choice('RUNNER', 'auto', ['auto', 'docker', 'process', 'ecs']);
  const onEcs = choice('USE_AWS_ECS', named === 'ecs' ? 'true' : 'false', ['true', 'false']) === 'true';
  if (env.RUNNER && onEcs !== (named === 'ecs'))
    problems.push(`USE_AWS_ECS=${onEcs} and RUNNER=${named} contradict each other`);
  const ecs = {
    cluster: text('ECS_CLUSTER', 'default'),
    taskPrefix: matching('ECS_TASK_PREFIX', 'ingesta-', /^[\w-]{0,200}$/, 'letters, digits, _ and -'),
    subnets: idsOf('ECS_SUBNETS', env, 'subnet-', problems),
    securityGroups: idsOf('ECS_SECURITY_GROUPS', env, 'sg-', problems),
    publicIp: choice('ECS_ASSIGN_PUBLIC_IP', 'off', ['on', 'off']) === 'on',
  };
  if (!onEcs) return { runner: named, ecs: null };
  if (ecs.subnets.length === 0) problems.push('RUNNER=ecs needs ECS_SUBNETS, where its tasks get their addresses');
  if (env.LAKE_URL) problems.push('RUNNER=ecs needs the lake to be a bucket: LAKE_URL is a folder');
  return { runner: 'ecs', ecs };
}

/** Ids separated by commas. */
function idsOf(name: string, env: Env, prefix: string, problems: string[]): string[] {
  const ids = (env[name] ?? '').split(',').flatMap((id) => id.trim() || []);
  const wrong = ids.find((id) => !new RegExp(`^${prefix}[0-9a-f]+$`).test(id));
  if (wrong !== undefined) problems.push(`${name}: "${wrong}" is none of ${prefix}0123abcd`);
  return ids;
}
