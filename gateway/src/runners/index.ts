import type { Lake } from '@ingesta/kit';
import { awsSettings } from '../aws-settings';
import type { Config } from '../config';
import type { ShippedSources } from '../sources/shipped-sources';
import { AutoRunner } from './auto-runner';
import { DockerRunner } from './docker-runner';
import { EcsApi } from './ecs-api';
import { EcsRunner } from './ecs-runner';
import { NamedConnections } from './named-connections';
import { ProcessRunner } from './process-runner';
import type { Runner } from './runner';

/** The runner that `RUNNER` names, with the connections that `SOURCES` adds. */
export async function createRunner(
  config: Config,
  shipped: ShippedSources,
  lake: () => Promise<Lake>,
): Promise<Runner> {
  if (config.ecs !== null) {
    const { connections, ecs } = config;
    const api = new EcsApi(ecs.cluster, awsSettings(config.env, 'ECS'));
    return new EcsRunner({ api, config: ecs, shipped, connections, lake });
  }
  const runner = await plainRunner(config, shipped);
  return config.connections.size > 0 ? new NamedConnections(runner, config.connections) : runner;
}

/** Adapters are listed by hand. */
async function plainRunner(config: Config, shipped: ShippedSources): Promise<Runner> {
  const processes = new ProcessRunner(shipped, config.env);
  if (config.runner === 'process') return processes;
  // Loaded late: without Docker it would be dead weight.
  const { openDocker } = await import('./open-docker');
  const docker = new DockerRunner(openDocker(), shipped, { prefix: config.imagePrefix, tag: config.imageTag });
  return config.runner === 'docker' ? docker : new AutoRunner(docker, processes);
}
