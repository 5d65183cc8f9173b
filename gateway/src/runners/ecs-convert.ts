import type { RunTaskCommandInput, TaskDefinition } from '@aws-sdk/client-ecs';
import { runKeys } from '@ingesta/kit';
import type { EcsConfig } from '../ecs-config';
import { LAKE_SETTINGS } from '../lake-settings';
import type { JobSpec } from './runner';

/** What a run has to know of a task definition. */
export interface EcsDefinition {
  /** With its revision: what was looked at is what runs. */
  arn: string;
  /** The container that the script runs in. */
  container: string;
  image: string;
  /** Variables that the container gets from the definition: secrets by reference, above all. */
  provides: string[];
  /** Where its stderr goes; null where not to CloudWatch. */
  logs: { group: string; region: string; prefix: string } | null;
}

/** The script's container is the definition's first essential one: others beside it are the operator's. */
export function readDefinition(definition: TaskDefinition): EcsDefinition {
  const containers = definition.containerDefinitions ?? [];
  const container = containers.find(({ essential }) => essential !== false);
  const { name = '', image = '', secrets = [], environment = [], logConfiguration } = container ?? {};
  const options = logConfiguration?.logDriver === 'awslogs' ? logConfiguration.options : undefined;
  const { 'awslogs-group': group, 'awslogs-region': region, 'awslogs-stream-prefix': prefix } = options ?? {};
  return {
    arn: definition.taskDefinitionArn ?? '',
    container: name,
    image,
    provides: [...secrets, ...environment].flatMap((variable) => variable.name ?? []),
    logs: group && region && prefix ? { group, region, prefix } : null,
  };
}

/** Name under which a deployment's tasks are found again. */
export const startedByOf = (deployment: string): string => `ingesta-${deployment}`;

/**
 * A job as the request that starts its task. The job itself is in the lake, where the container looks it up: overrides
 * take 8,192 characters in all, and everybody who may describe tasks reads them.
 */
export function toRunTask(spec: JobSpec, container: string, ecs: EcsConfig): RunTaskCommandInput {
  const { job, labels } = spec;
  const { subnets, securityGroups, publicIp } = ecs;
  const lake = LAKE_SETTINGS.flatMap((name) => (job.env[name] ? [{ name, value: job.env[name] }] : []));
  const announced = { name: 'INGESTA_JOB', value: `lake:${runKeys(job.database, job.run_id).job(job.attempt)}` };
  return {
    taskDefinition: spec.source.reference,
    launchType: 'FARGATE',
    count: 1,
    clientToken: `${job.run_id}-${job.attempt}`,
    startedBy: startedByOf(labels['ingesta.deployment'] ?? ''),
    tags: Object.entries(labels).map(([key, value]) => ({ key, value })),
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: [...subnets],
        ...(securityGroups.length > 0 && { securityGroups: [...securityGroups] }),
        assignPublicIp: publicIp ? 'ENABLED' : 'DISABLED',
      },
    },
    overrides: { containerOverrides: [{ name: container, environment: [announced, ...lake] }] },
  };
}

/** The page of the CloudWatch console that shows a task's log, or null. */
export function logUrl({ logs, container }: EcsDefinition, taskArn: string): string | null {
  if (logs === null) return null;
  const { group, region, prefix } = logs;
  const stream = `${prefix}/${container}/${taskArn.split('/').at(-1)}`;
  // The console escapes the fragment twice, with $ for the second %.
  const escaped = (text: string) => encodeURIComponent(encodeURIComponent(text)).replaceAll('%', '$');
  const page = `#logsV2:log-groups/log-group/${escaped(group)}/log-events/${escaped(stream)}`;
  return `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}${page}`;
}
