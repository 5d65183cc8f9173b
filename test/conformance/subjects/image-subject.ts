import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Job, RESERVED_SOURCE_NAMES, SOURCE_NAME } from '@ingesta/kit';
import type Docker from 'dockerode';
import type { ContainerCreateOptions } from 'dockerode';
import { launchContainer } from '../../../gateway/src/runners/docker-container';
import { hardened, toContainer } from '../../../gateway/src/runners/docker-convert';
import type { Observation } from '../observation';
import { ObservedEngine } from './observed-engine';
import { StderrLines } from './stderr-lines';
import type { Launch, Subject } from './subject';

/** Limits of a launch; those of the gateway's defaults. */
const MEMORY_MIB = 512;
const CPUS = 1;
const DESCRIBE = { memoryMiB: 128, cpus: 1, ms: 20_000 };

/** How images are launched. */
export interface ImageSettings {
  readonly image: string;
  /** The source's name; where nobody gave it, the image's label tells. */
  readonly name: string | undefined;
  readonly network: string | null;
  readonly timeoutMs: number;
}

/** A script as a container, hardened and started by the very code of the gateway's Docker runner. */
export class ImageSubject implements Subject {
  readonly kind = 'image';

  private constructor(
    private readonly docker: Docker,
    private readonly settings: ImageSettings,
    readonly name: string,
    readonly route: Subject['route'],
    private readonly label: string | undefined,
  ) {}

  /** Throws where the engine does not answer or has no such image. */
  static async open(docker: Docker, settings: ImageSettings): Promise<ImageSubject> {
    const { Config } = await docker.getImage(settings.image).inspect();
    const label = Config.Labels?.['ingesta.source'];
    const name = settings.name ?? label ?? nameOf(settings.image);
    return new ImageSubject(docker, settings, name, await routeOf(docker, settings.network), label);
  }

  async labelProblems(): Promise<string[]> {
    if (this.label === undefined) return [`no label ingesta.source=${this.name}: the gateway will not see the image`];
    const usable = SOURCE_NAME.test(this.label) && !RESERVED_SOURCE_NAMES.includes(this.label);
    return usable ? [] : [`ingesta.source=${this.label} is no name of a source`];
  }

  describe(): Promise<Observation> {
    const options = hardened(this.settings.image, DESCRIBE.memoryMiB, DESCRIBE.cpus);
    return this.#run(
      {
        ...options,
        name: `ingesta-conformance-${randomUUID()}`,
        Cmd: ['--describe'],
        AttachStdout: true,
        AttachStderr: true,
        HostConfig: { ...options.HostConfig, NetworkMode: 'none' },
      },
      { stdin: null, timeoutMs: DESCRIBE.ms },
    );
  }

  async launch({ description, job, by, env = job.env, args, signal, onLine }: Launch): Promise<Observation> {
    const folder = job.env.LAKE_URL ? await lakeFolderOf(job) : null;
    const options = toContainer({
      source: {
        name: this.name,
        envPrefix: '',
        runner: 'docker',
        reference: this.settings.image,
        digest: null,
        description,
      },
      job,
      labels: { 'ingesta.conformance': job.run_id },
      memoryMiB: MEMORY_MIB,
      cpus: CPUS,
      network: this.settings.network,
      ownCredentials: null,
      lakeFolder: folder,
    });
    const own = { ...options, name: `ingesta-conformance-${randomUUID()}`, ...(args ? { Cmd: [...args] } : {}) };
    if (by === 'stdin') return this.#run(own, { stdin: JSON.stringify(job), signal, onLine });
    // As `docker run -e … image` starts it.
    const Env = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return this.#run(
      { ...own, Env, OpenStdin: false, StdinOnce: false, AttachStdin: false },
      { stdin: null, signal, onLine },
    );
  }

  async #run(
    options: ContainerCreateOptions,
    how: { stdin: string | null; signal?: AbortSignal; onLine?: (line: string) => void; timeoutMs?: number },
  ): Promise<Observation> {
    const stderr = new StderrLines(how.onLine);
    const engine = new ObservedEngine(this.docker, (chunk) => stderr.write(chunk));
    const late = AbortSignal.timeout(how.timeoutMs ?? this.settings.timeoutMs);
    const signal = AbortSignal.any([late, ...(how.signal ? [how.signal] : [])]);
    const outcome = await launchContainer(engine, options, { stdin: how.stdin, signal, onEvent: () => undefined });
    return {
      exitCode: outcome.exitCode,
      stdout: outcome.stdout,
      stdoutProblem: outcome.stdoutProblem,
      stderr: stderr.text,
      timedOut: late.aborted,
      durationMs: outcome.finishedAt.getTime() - outcome.startedAt.getTime(),
      inspected: engine.inspected,
    };
  }
}

const nameOf = (image: string): string =>
  image
    .replace(/^.*\//, '')
    .replace(/[:@].*$/, '')
    .replace(/^ingesta-/, '');

/** Bound like the gateway binds it; a lake that is no folder is not, so that the script meets it as it is. */
async function lakeFolderOf(job: Job) {
  const path = fileURLToPath(job.env.LAKE_URL!);
  // Not made here: the check of a lake that refuses wants one that cannot be, and below /proc Node would try for ever.
  const facts = await stat(path).catch(() => null);
  return facts && { hostPath: path, path, user: `${facts.uid}:${facts.gid}` };
}

/** Containers reach this machine by a name; what is to be reached listens on the bridge, where the bridge is ours. */
async function routeOf(docker: Docker, network: string | null): Promise<Subject['route']> {
  if (network === 'host') return { host: '127.0.0.1', listen: '127.0.0.1' };
  const { IPAM } = await docker.getNetwork('bridge').inspect();
  const { Gateway, Subnet } = IPAM?.Config?.[0] ?? {};
  // Some engines tell the subnet only; the bridge then has its first address.
  const listen = Gateway || Subnet?.replace(/\.\d+\/\d+$/, '.1') || '127.0.0.1';
  return { host: 'host.docker.internal', listen };
}
