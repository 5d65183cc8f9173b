import { type Job, loopbackVariables, resolveEnv } from '@ingesta/kit';
import type { Config } from '../config';
import { ApiError } from '../errors';
import type { JobSpec, LaunchableSource } from '../runners/runner';

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
}

/** The AWS credentials a script works with, as the SDK resolved them; empty for a folder lake. */
export type CredentialEnv = Readonly<Record<string, string>>;

/** Where a folder lake lies, and whose it is. */
export interface LakeFolder {
  path: string;
  owner: string | null;
}

/** Settings that every script understands, whatever its source. */
const SHARED_SETTINGS = [
  'SENSITIVE_COLUMNS',
  'SENSITIVE_COLUMNS_ALLOW',
  'KEY_TEMPLATE',
  'LAKE_URL',
  'LAKE_PREFIX',
  'AWS_BUCKET_NAME',
  'S3_BUCKET',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ENDPOINT_URL_S3',
  'AWS_ENDPOINT_URL',
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
  credentials: CredentialEnv,
  folder: LakeFolder | null,
): JobSpec {
  const { values, problems } = resolveEnv(source.description, config.env, source.envPrefix);
  problems.push(...hostProblems(config, source, values));
  if (problems.length > 0) throw new ApiError('SOURCE_CONFIG', problems.join('; '), { database: source.name });

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
    dry_run: request.dryRun,
    env: {
      ...pick(config.env, SHARED_SETTINGS),
      ...(selected ? { [selection]: selected } : {}),
      ...values,
      ...credentials,
    },
  };
  return {
    source,
    job,
    labels: {
      'ingesta.run': run.runId,
      'ingesta.db': source.name,
      'ingesta.attempt': String(run.attempt),
      'ingesta.deadline': run.deadline.toISOString(),
    },
    memoryMiB: config.scriptMemoryMiB,
    cpus: config.scriptCpus,
    network: config.dockerNetwork,
    lakeFolder: folder && { hostPath: config.lakeHostPath ?? folder.path, path: folder.path, user: folder.owner },
  };
}

/** A loopback address in a setting means the container itself, unless the container shares the host's network. */
function hostProblems(config: Config, source: LaunchableSource, values: Readonly<Record<string, string>>): string[] {
  if (source.runner !== 'docker' || config.dockerNetwork === 'host') return [];
  const advice =
    'inside the script container that is the container itself: use host.docker.internal for a server on the Docker host, ' +
    'a service name on DOCKER_NETWORK, or DOCKER_NETWORK=host';
  const hosts = source.description.env.filter((variable) => variable.host).map((variable) => variable.name);
  return [
    ...loopbackVariables(hosts, values).map(({ name, host }) => ({ name: source.envPrefix + name, host })),
    ...loopbackVariables(['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'], config.env),
  ].map(({ name, host }) => `${name} names ${host}: ${advice}`);
}

function pick(env: Config['env'], names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
