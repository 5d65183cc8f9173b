import type { ECSClient, RunTaskCommandInput, Task, TaskDefinition } from '@aws-sdk/client-ecs';
import type { AwsClientSettings } from '../aws-settings';
import { ApiError } from '../errors';
import { ecsError, notPlaced } from './ecs-errors';

type Sdk = typeof import('./ecs-sdk');

/** What one DescribeTasks takes. */
const BATCH = 100;

/** The calls of one cluster that the runner makes. Its methods throw `ApiError`. The SDK is loaded on first use. */
export class EcsApi {
  #client: ECSClient | undefined;

  constructor(
    private readonly cluster: string,
    private readonly settings: AwsClientSettings,
  ) {}

  /** Throws where tasks could not be started in the cluster. */
  async check(): Promise<void> {
    const { clusters = [] } = await this.#call('ecs:DescribeClusters', (sdk, client) =>
      client.send(new sdk.DescribeClustersCommand({ clusters: [this.cluster] })),
    );
    if (clusters[0]?.status === 'ACTIVE') return;
    throw new ApiError('RUNNER_UNAVAILABLE', `ECS cluster ${this.cluster} is ${clusters[0]?.status ?? 'not there'}`, {
      hint: 'Correct ECS_CLUSTER and AWS_REGION, or create the cluster.',
    });
  }

  /** The families that begin so and have an active revision. */
  async families(familyPrefix: string): Promise<Set<string>> {
    return this.#call('ecs:ListTaskDefinitionFamilies', async (sdk, client) => {
      const request = { ...(familyPrefix && { familyPrefix }), status: 'ACTIVE' as const };
      const found = new Set<string>();
      for await (const { families = [] } of sdk.paginateListTaskDefinitionFamilies({ client }, request))
        for (const family of families) found.add(family);
      return found;
    });
  }

  /** The newest active revision of a family, or null where there is none. */
  async definition(taskDefinition: string): Promise<TaskDefinition | null> {
    return this.#call('ecs:DescribeTaskDefinition', async (sdk, client) => {
      try {
        const answer = await client.send(new sdk.DescribeTaskDefinitionCommand({ taskDefinition }));
        return answer.taskDefinition ?? null;
      } catch (error) {
        const { name, message } = error as Error;
        if (name === 'ClientException' && /unable to describe|not found/i.test(message)) return null;
        throw error;
      }
    });
  }

  /** Starts one task. Sent again with the same `clientToken` it starts no other. */
  async start(input: RunTaskCommandInput): Promise<Task> {
    const { tasks = [], failures = [] } = await this.#call('ecs:RunTask', (sdk, client) =>
      client.send(new sdk.RunTaskCommand({ ...input, cluster: this.cluster })),
    );
    const [task] = tasks;
    if (task === undefined) throw notPlaced(failures[0] ?? {});
    return task;
  }

  /** A task as it is now; null where ECS knows none (not yet, or an hour after its end). */
  async task(arn: string): Promise<Task | null> {
    const [task] = await this.#tasks([arn]);
    return task ?? null;
  }

  async stop(task: string, reason: string): Promise<void> {
    await this.#call('ecs:StopTask', (sdk, client) =>
      client.send(new sdk.StopTaskCommand({ cluster: this.cluster, task, reason })),
    );
  }

  /** The tasks under way that were started under this name, with their tags. */
  async startedBy(startedBy: string): Promise<Task[]> {
    const arns = await this.#call('ecs:ListTasks', async (sdk, client) => {
      const found: string[] = [];
      for await (const page of sdk.paginateListTasks({ client }, { cluster: this.cluster, startedBy }))
        found.push(...(page.taskArns ?? []));
      return found;
    });
    const tasks: Task[] = [];
    for (let at = 0; at < arns.length; at += BATCH) tasks.push(...(await this.#tasks(arns.slice(at, at + BATCH))));
    return tasks;
  }

  async #tasks(tasks: string[]): Promise<Task[]> {
    const answer = await this.#call('ecs:DescribeTasks', (sdk, client) =>
      client.send(new sdk.DescribeTasksCommand({ cluster: this.cluster, tasks, include: ['TAGS'] })),
    );
    return answer.tasks ?? [];
  }

  async #call<T>(action: string, send: (sdk: Sdk, client: ECSClient) => Promise<T>): Promise<T> {
    try {
      const sdk = await import('./ecs-sdk');
      this.#client ??= new sdk.ECSClient(this.settings);
      return await send(sdk, this.#client);
    } catch (error) {
      throw ecsError(error, action);
    }
  }
}
