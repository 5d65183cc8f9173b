import type { Task } from '@aws-sdk/client-ecs';
import { createRecord, type Job, type Lake, runKeys, type ScriptEvent } from '@ingesta/kit';
import type { EcsConfig } from '../ecs-config';
import { ApiError } from '../errors';
import { readResultCopy } from '../result-copy';
import type { ShippedSources } from '../sources/shipped-sources';
import type { EcsApi } from './ecs-api';
import { type EcsDefinition, logUrl, readDefinition, toRunTask } from './ecs-convert';
import { reapTasks } from './ecs-reaper';
import { ENDED, endOf, inTime, watchTask } from './ecs-task';
import type { Connection } from './named-connections';
import type { JobSpec, LaunchableSource, LeftBehind, Outcome, Runner, SourceListing } from './runner';

const POLL_MS = 2_000;

export interface EcsServices {
  api: EcsApi;
  config: EcsConfig;
  shipped: ShippedSources;
  /** Each has a task definition of its own: its secrets are its own. */
  connections: ReadonlyMap<string, Connection>;
  /** Job and answer lie there: a task has no stdin, and its stdout goes to its log. */
  lake: () => Promise<Lake>;
  pollMs?: number;
}

/**
 * Runs each job as a Fargate task. The operator's task definition says image, memory, roles, and secrets by reference; the
 * job goes through the lake without any. There is no progress: a task's stderr can be read in its log only.
 */
export class EcsRunner implements Runner {
  readonly name = 'ecs';
  /** By ARN: a revision never changes. */
  readonly #definitions = new Map<string, EcsDefinition>();

  constructor(private readonly services: EcsServices) {}

  async list(): Promise<SourceListing[]> {
    const { api, config, shipped, connections } = this.services;
    const families = await api.families(config.taskPrefix);
    const names = [...new Set([...shipped.names(), ...connections.keys()])].sort();
    return names.map((name) => {
      const reference = config.taskPrefix + name;
      const title = shipped.title(this.#kindOf(name));
      if (families.has(reference)) return { name, reference, present: true, title };
      return { name, reference, present: false, title, hint: registerHint(reference) };
    });
  }

  async resolve(name: string): Promise<LaunchableSource> {
    const { api, config, shipped, connections } = this.services;
    const description = shipped.get(this.#kindOf(name));
    if (description === null) {
      const known = [...new Set([...shipped.names(), ...connections.keys()])].sort().join(', ');
      throw new ApiError('UNKNOWN_SOURCE', `There is no source "${name}"`, { hint: `Known: ${known}.` });
    }
    const family = config.taskPrefix + name;
    const found = await api.definition(family);
    if (found === null) {
      const hint = registerHint(family);
      throw new ApiError('IMAGE_NOT_FOUND', `ECS has no task definition ${family}`, { hint, database: name });
    }
    const definition = readDefinition(found);
    this.#definitions.set(definition.arn, definition);
    const { arn: reference, image, provides } = definition;
    const digest = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1] ?? null;
    const envPrefix = connections.get(name)?.envPrefix ?? '';
    return { name, envPrefix, runner: 'ecs', reference, digest, description, provides };
  }

  async run(spec: JobSpec, signal: AbortSignal, onEvent: (event: ScriptEvent) => void): Promise<Outcome> {
    const { api, config, pollMs = POLL_MS } = this.services;
    const { job } = spec;
    const lake = await this.services.lake();
    const definition = await inTime(this.#definition(spec.source.reference), signal);
    const key = runKeys(job.database, job.run_id).job(job.attempt);
    await inTime(createRecord(lake, key, Buffer.from(JSON.stringify(job))), signal);
    try {
      const { container } = definition;
      const starting = api.start(toRunTask(spec, container, config));
      const started = await inTime(starting, signal).catch((error) => {
        // Nobody waits any more, and it may start all the same.
        starting.then(({ taskArn }) => api.stop(taskArn!, ENDED)).catch(() => undefined);
        throw error;
      });
      const url = logUrl(definition, started.taskArn!);
      const told = (): ScriptEvent => ({
        event: 'log',
        at: new Date().toISOString(),
        level: 'info',
        message: `task ${started.taskArn} runs; its log: ${url ?? 'not in CloudWatch, see its task definition'}`,
      });
      const watch = { signal, container, pollMs, onRunning: () => onEvent(told()) };
      const task = await watchTask(api, started.taskArn!, watch);
      const end = task ? endOf(task, container, signal.aborted) : { exitCode: null, oomKilled: false };
      const answer = await answerIn(lake, job);
      return { ...end, ...answer, stderrTail: url ? `see ${url}` : '', ...timesOf(task ?? started) };
    } finally {
      if (job.dry_run) await forget(lake, job);
    }
  }

  reap(deployment: string, isOver: (left: LeftBehind) => Promise<boolean>): Promise<string[]> {
    return reapTasks(this.services.api, deployment, isOver);
  }

  check(): Promise<void> {
    return this.services.api.check();
  }

  async close(): Promise<void> {
    // Whatever it starts is a run.
  }

  /** The source whose script it takes. */
  #kindOf(name: string): string {
    return this.services.connections.get(name)?.kind ?? name;
  }

  async #definition(arn: string): Promise<EcsDefinition> {
    const known = this.#definitions.get(arn);
    if (known) return known;
    const found = await this.services.api.definition(arn);
    if (found === null) throw new ApiError('IMAGE_NOT_FOUND', `Task definition ${arn} is gone`);
    return readDefinition(found);
  }
}

const registerHint = (family: string) =>
  `Register a task definition ${family}; docs/aws.md has one to begin with. ECS_TASK_PREFIX is what stands before the source.`;

/** What the script left in the place of its stdout; nothing where it left nothing. */
async function answerIn(lake: Lake, job: Job): Promise<Pick<Outcome, 'stdout' | 'stdoutProblem'>> {
  const copy = await readResultCopy(lake, job);
  if (copy === 'too_long') return { stdout: Buffer.alloc(0), stdoutProblem: copy };
  return { stdout: copy ?? Buffer.alloc(0), stdoutProblem: null };
}

/** A dry run leaves nothing, where deleting is allowed. What stays otherwise holds no secret and is nobody's run. */
async function forget(lake: Lake, job: Job): Promise<void> {
  const keys = runKeys(job.database, job.run_id);
  await Promise.allSettled([lake.delete(keys.job(job.attempt)), lake.delete(keys.result(job.attempt))]);
}

const timesOf = ({ startedAt, createdAt }: Task): Pick<Outcome, 'startedAt' | 'finishedAt'> => ({
  startedAt: startedAt ?? createdAt ?? new Date(),
  finishedAt: new Date(),
});
