import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ContainerDefinition, Failure, RunTaskCommandInput, Tag } from '@aws-sdk/client-ecs';

/** What the overrides of one RunTask may take, as ECS has it. */
const MAX_OVERRIDES = 8192;
const SIGNAL_EXITS: Partial<Record<NodeJS.Signals, number>> = { SIGKILL: 137, SIGTERM: 143, SIGABRT: 134 };

/** A task definition here: its first container runs as a process of this machine. */
export interface StandInDefinition {
  command: [string, ...string[]];
  cwd: string;
  container: ContainerDefinition;
  /** Values of the container's `secrets`, which ECS would look up. */
  secrets?: Record<string, string>;
  /** Set, the task never starts, or ends by other means than its exit. */
  fate?: { stopCode: string; stoppedReason: string; reason?: string; exitCode?: number };
}

interface StandInTask {
  taskArn: string;
  family: string;
  clientToken: string;
  startedBy: string;
  tags: Tag[];
  createdAt: number;
  lastStatus: string;
  desiredStatus: string;
  stopCode?: string;
  stoppedReason?: string;
  container: { name: string; lastStatus: string; exitCode?: number; reason?: string };
  child: ChildProcess | null;
}

/** A failure that a call is to meet, once. */
export interface Fault {
  action: string;
  status?: number;
  type?: string;
  message?: string;
  /** RunTask answers 200 with these instead of a task. */
  failures?: Failure[];
  /** The call is executed, and its answer lost. */
  loseAnswer?: boolean;
  /** It is not even executed, and nothing is ever said. */
  silent?: boolean;
}

/**
 * An ECS of one cluster, `suite`, that speaks the AWS JSON protocol and runs tasks as processes: moto's tasks run nothing
 * and never fail. A task is RUNNING once its process has said something on stderr.
 */
export class EcsStandIn {
  readonly calls: { action: string; input: unknown }[] = [];
  readonly faults: Fault[] = [];
  readonly definitions = new Map<string, StandInDefinition>();
  readonly #tasks = new Map<string, StandInTask>();
  readonly #server = createServer(async (request, response) => {
    const action = String(request.headers['x-amz-target']).split('.').at(-1)!;
    this.#answer(action, JSON.parse(await text(request)), response);
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const { child } of this.#tasks.values()) child?.kill('SIGKILL');
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The tasks whose process is there. */
  running(): string[] {
    return [...this.#tasks.values()]
      .filter(({ child }) => child?.exitCode === null && child.signalCode === null)
      .map(({ taskArn }) => taskArn);
  }

  /** The task that was started with this token. */
  arnOf(clientToken: string): string {
    return [...this.#tasks.values()].find((task) => task.clientToken === clientToken)!.taskArn;
  }

  /** Makes a task look as old as this. */
  age(arn: string, ms: number): void {
    this.#tasks.get(arn)!.createdAt -= ms / 1000;
  }

  // biome-ignore lint/suspicious/noExplicitAny: whatever the SDK sends.
  #answer(action: string, input: any, response: ServerResponse): void {
    this.calls.push({ action, input });
    const at = this.faults.findIndex((fault) => fault.action === action);
    const [fault] = at < 0 ? [] : this.faults.splice(at, 1);
    const send = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    };
    if (fault?.silent) return;
    if (fault?.failures) send(200, { tasks: [], failures: fault.failures });
    else if (fault && !fault.loseAnswer) send(fault.status ?? 400, { __type: fault.type, message: fault.message });
    else this.#execute(action, input, fault?.loseAnswer ? () => response.destroy() : send);
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above.
  #execute(action: string, input: any, send: (status: number, body: object) => void): void {
    try {
      send(200, this.#do(action, input));
    } catch (error) {
      send(400, { __type: (error as Error).name, message: (error as Error).message });
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above.
  #do(action: string, input: any): object {
    if (input.cluster !== undefined && input.cluster !== 'suite')
      throw named('ClusterNotFoundException', 'Cluster not found.');
    switch (action) {
      case 'DescribeClusters':
        return { clusters: input.clusters.includes('suite') ? [{ clusterName: 'suite', status: 'ACTIVE' }] : [] };
      case 'ListTaskDefinitionFamilies':
        return { families: [...this.definitions.keys()].filter((name) => name.startsWith(input.familyPrefix ?? '')) };
      case 'DescribeTaskDefinition':
        return { taskDefinition: this.#describe(input.taskDefinition) };
      case 'RunTask':
        return { tasks: [this.#told(this.#run(input))], failures: [] };
      case 'DescribeTasks': {
        const tasks = (input.tasks as string[]).map((arn) => this.#tasks.get(arn));
        return { tasks: tasks.flatMap((task) => (task ? [this.#told(task)] : [])), failures: [] };
      }
      case 'ListTasks': {
        const own = [...this.#tasks.values()].filter(
          (task) => task.startedBy === input.startedBy && task.desiredStatus === 'RUNNING',
        );
        return { taskArns: own.map(({ taskArn }) => taskArn) };
      }
      case 'StopTask':
        return { task: this.#told(this.#end(this.#tasks.get(input.task)!)) };
      default:
        throw named('InvalidAction', action);
    }
  }

  #describe(reference: string): object {
    const family = /([^/:]+)(:\d+)?$/.exec(reference)?.[1] ?? '';
    const found = this.definitions.get(family);
    if (!found) throw named('ClientException', 'Unable to describe task definition.');
    const taskDefinitionArn = `arn:aws:ecs:us-east-1:000000000000:task-definition/${family}:1`;
    return { taskDefinitionArn, family, revision: 1, containerDefinitions: [found.container] };
  }

  #run({ clientToken, taskDefinition, overrides, startedBy, tags }: RunTaskCommandInput): StandInTask {
    const again = [...this.#tasks.values()].find((task) => task.clientToken === clientToken);
    if (again) return again;
    if (JSON.stringify(overrides).length > MAX_OVERRIDES)
      throw named('InvalidParameterException', 'Container Overrides length must be at most 8192');
    const family = /([^/:]+)(:\d+)?$/.exec(taskDefinition!)![1]!;
    const definition = this.definitions.get(family);
    if (!definition) throw named('ClientException', 'TaskDefinition not found.');
    const { container, fate } = definition;
    const task: StandInTask = {
      taskArn: `arn:aws:ecs:us-east-1:000000000000:task/suite/${randomUUID().replaceAll('-', '')}`,
      family,
      clientToken: clientToken!,
      startedBy: startedBy!,
      tags: tags ?? [],
      createdAt: Date.now() / 1000,
      lastStatus: 'PROVISIONING',
      desiredStatus: 'RUNNING',
      container: { name: container.name!, lastStatus: 'PENDING' },
      child: null,
    };
    this.#tasks.set(task.taskArn, task);
    if (fate) {
      const { stopCode, stoppedReason, ...end } = fate;
      Object.assign(task, { stopCode, stoppedReason, lastStatus: 'STOPPED', desiredStatus: 'STOPPED' });
      Object.assign(task.container, { lastStatus: 'STOPPED', ...end });
      return task;
    }
    const environment = [...(container.environment ?? []), ...(overrides?.containerOverrides?.[0]?.environment ?? [])];
    const [program, ...args] = definition.command;
    const child = spawn(program, args, {
      cwd: definition.cwd,
      env: {
        PATH: process.env.PATH,
        ...definition.secrets,
        ...Object.fromEntries(environment.map(({ name, value }) => [name!, value])),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    task.child = child;
    child.stderr.on('data', () => {
      if (task.container.lastStatus === 'PENDING') task.lastStatus = task.container.lastStatus = 'RUNNING';
    });
    child.once('exit', (code, signal) => {
      Object.assign(task.container, { lastStatus: 'STOPPED', exitCode: code ?? SIGNAL_EXITS[signal!] ?? 128 });
      // As Fargate: the task goes on for a while after its container.
      Object.assign(task, {
        lastStatus: 'DEPROVISIONING',
        desiredStatus: 'STOPPED',
        stopCode: task.stopCode ?? 'EssentialContainerExited',
      });
    });
    return task;
  }

  #end(task: StandInTask): StandInTask {
    task.desiredStatus = 'STOPPED';
    task.stopCode ??= 'UserInitiated';
    task.child?.kill('SIGTERM');
    setTimeout(() => task.child?.kill('SIGKILL'), 4000).unref();
    return task;
  }

  #told({ child: _, container, clientToken: _token, ...task }: StandInTask): object {
    return { ...task, containers: [container] };
  }
}

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
