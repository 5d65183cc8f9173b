import { createHash } from 'node:crypto';
import { type Dataset, type Job, loopbackVariables } from '@ingesta/kit';
import type { Config } from '../config';
import { ApiError } from '../errors';
import { LAKE_SETTINGS } from '../lake-settings';
import type { JobSpec, LaunchableSource } from '../runners/runner';
import { sourceEnv } from '../sources/source-env';

/** What a caller asked for, defaults applied. */
export interface IngestRequest {
  tables: string[] | null;
  format: 'csv' | 'csv.gz';
  dryRun: boolean;
}

/** What one launch is called. */
export interface RunIdentity {
  runId: string;
  attempt: number;
  nonce: string;
  /** `YYYYMMDD_HHMMSS`, UTC. */
  timestamp: string;
  deadline: Date;
  /** Who launches it, and under which epoch of its lease; 0 for a dry run. */
  gateway: string;
  epoch: number;
}

/** The AWS credentials a script works with, as the SDK resolved them; empty for a folder lake. */
export type CredentialEnv = Readonly<Record<string, string>>;

/** Where a folder lake lies, and whose it is. */
export interface LakeFolder {
  path: string;
  owner: string | null;
}

/** What was looked up for a run. */
export interface JobSupplies {
  credentials: CredentialEnv;
  /** The source's variables as a secret store knows them: these count before the environment's. */
  secrets: Readonly<Record<string, string>>;
  folder: LakeFolder | null;
  datasets: readonly Dataset[];
}

/** Settings that every script understands, whatever its source. */
const SHARED_SETTINGS = [
  'SENSITIVE_COLUMNS',
  'SENSITIVE_COLUMNS_ALLOW',
  'KEY_TEMPLATE',
  'PARALLEL_TABLES',
  'PARALLEL_RANGES',
  ...LAKE_SETTINGS,
];

/**
 * Request and configuration become a plain `JobSpec`: every decision is here, nothing is done. Throws `SOURCE_CONFIG`
 * naming every variable that is missing, malformed, or means the wrong host.
 */
export function compileJob(
  config: Config,
  source: LaunchableSource,
  request: IngestRequest,
  run: RunIdentity,
  { credentials, secrets, folder, datasets }: JobSupplies,
): JobSpec {
  const { values, problems } = sourceEnv(source, config.env, secrets);
  problems.push(...hostProblems(config, source, values));
  if (problems.length > 0) throw new ApiError('SOURCE_CONFIG', problems.join('; '), { database: source.name });

  const own = config.scriptCredentials === 'own' && folder === null;
  const selection = `${source.description.env_prefix}TABLES`;
  const selected = config.env[source.envPrefix + selection];
  const job: Job = {
    database: source.name,
    run_id: run.runId,
    attempt: run.attempt,
    nonce: run.nonce,
    timestamp: run.timestamp,
    deadline: run.deadline.toISOString(),
    tables: request.tables,
    format: request.format,
    datasets: [...datasets],
    dry_run: request.dryRun,
    env: {
      ...pick(config.env, own ? [...SHARED_SETTINGS, 'AWS_PROFILE'] : SHARED_SETTINGS),
      ...(selected ? { [selection]: selected } : {}),
      ...values,
      ...credentials,
    },
  };
  return {
    source,
    job,
    labels: {
      'ingesta.deployment': deploymentOf(config.env),
      'ingesta.gateway': run.gateway,
      'ingesta.run': run.runId,
      'ingesta.db': source.name,
      'ingesta.attempt': String(run.attempt),
      'ingesta.epoch': String(run.epoch),
      'ingesta.deadline': run.deadline.toISOString(),
    },
    memoryMiB: config.scriptMemoryMiB,
    cpus: config.scriptCpus,
    network: config.dockerNetwork,
    ownCredentials: own ? { folder: config.scriptAwsDir } : null,
    lakeFolder: folder && { hostPath: config.lakeHostPath ?? folder.path, path: folder.path, user: folder.owner },
  };
}

/** Tells deployments on one Docker host apart: gateways of one lake are one. */
export function deploymentOf(env: Config['env']): string {
  const { LAKE_URL, AWS_BUCKET_NAME, S3_BUCKET, LAKE_PREFIX, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = env;
  const bucket = AWS_BUCKET_NAME || S3_BUCKET || '';
  const lake = LAKE_URL ? [LAKE_URL] : [AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL || '', bucket, LAKE_PREFIX ?? ''];
  return createHash('sha256').update(lake.join(' ')).digest('hex').slice(0, 16);
}

/** A loopback address in a setting means the container itself, unless the container shares the host's network. */
function hostProblems(config: Config, source: LaunchableSource, values: Readonly<Record<string, string>>): string[] {
  const { runner } = source;
  if (runner === 'process' || (runner === 'docker' && config.dockerNetwork === 'host')) return [];
  const onDocker =
    'inside the script container that is the container itself: use host.docker.internal for a server on the Docker host, ' +
    'a service name on DOCKER_NETWORK, or DOCKER_NETWORK=host';
  const advice = runner === 'ecs' ? 'a task is a machine of its own: use an address inside the VPC' : onDocker;
  const hosts = source.description.env.filter((variable) => variable.host).map((variable) => variable.name);
  return [
    ...loopbackVariables(hosts, values).map(({ name, host }) => ({ name: source.envPrefix + name, host })),
    ...loopbackVariables(['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'], config.env),
  ].map(({ name, host }) => `${name} names ${host}: ${advice}`);
}

function pick(env: Config['env'], names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
