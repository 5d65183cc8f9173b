import type { Job, ScriptEvent, SourceDescription } from '@ingesta/kit';

/** A source as a runner can launch it. */
export interface LaunchableSource {
  name: string;
  /** Stands before the names of its variables in the gateway's environment; empty but for named connections. */
  envPrefix: string;
  /** What will launch it: decides what `localhost` means and how a folder lake is reached. */
  runner: 'docker' | 'process' | 'ecs';
  /** Image reference, the folder of the process runner, or the ECS task definition. */
  reference: string;
  /** Content digest of what will run; null where there is none (process). */
  digest: string | null;
  description: SourceDescription;
  /** Variables that the launch has by itself, secrets by reference above all; none if absent. */
  provides?: readonly string[];
}

/** What a runner knows about a source without launching it. */
export type SourceListing =
  | { name: string; reference: string; present: true; title: string }
  | { name: string; reference: string; present: false; title: string; hint: string };

/** Everything one launch needs, decided. Plain data: `docker-convert.ts`, `ecs-convert.ts` and
 * `process-runner.ts` only translate it. */
export interface JobSpec {
  source: LaunchableSource;
  /** Goes over stdin, secrets included; on ECS through the lake, without any. */
  job: Job;
  labels: Readonly<Record<string, string>>;
  memoryMiB: number;
  cpus: number;
  network: string | null;
  /** The script finds its AWS credentials itself, in this folder of the Docker host if there is one; null: they are in the job. */
  ownCredentials: { folder: string | null } | null;
  /** Folder lake: bound from `hostPath` to `path`, and the user the files belong to. Null for S3. */
  lakeFolder: { hostPath: string; path: string; user: string | null } | null;
}

/** How a program ends for lack of memory: killed by the kernel, or aborted by V8 when its heap is full. */
export const MEMORY_EXITS: readonly number[] = [137, 134];

/** A launch that is still there, as its labels tell of it. */
export interface LeftBehind {
  runId: string;
  database: string;
  deadline: Date;
}

/** How a launch ended. A failing script is data, not an exception. */
export interface Outcome {
  /** Null where the end could not be observed (daemon lost). */
  exitCode: number | null;
  /** Killed for memory, as far as can be told. */
  oomKilled: boolean;
  /** What stood on stdout, at most `MAX_RESULT_BYTES`; on ECS what the script left in the lake for it. */
  stdout: Buffer;
  /** `too_long`: over the limit, and the script was stopped for it. `cut`: lost on the way. Null if whole. */
  stdoutProblem: 'too_long' | 'cut' | null;
  /** The last lines of stderr that were no events (a stack trace, a shell's message); on ECS where they can be read. */
  stderrTail: string;
  startedAt: Date;
  finishedAt: Date;
}

/** From SIGTERM to SIGKILL: long enough to abort uploads, short enough for a gateway that must end within 10 s. */
export const STOP_SECONDS = 5;

/**
 * Launches scripts. Methods may be called at any time and side by side. `run` leaves nothing behind (no container, no
 * process), whatever happens; clean-up has its own deadline and never hides the first error. Aborting `signal` stops
 * the script (SIGTERM, then SIGKILL after `STOP_SECONDS`) and `run` still resolves with its outcome. Throws `ApiError`
 * (`IMAGE_NOT_FOUND`, `UNKNOWN_SOURCE`, `RUNNER_UNAVAILABLE`) where nothing could be launched. Contract suite:
 * `runner-suite.ts`.
 */
export interface Runner {
  readonly name: string;
  /** The sources this runner can name, present or not. */
  list(): Promise<SourceListing[]>;
  /** What `run` will launch for this source, resolved to a digest. */
  resolve(name: string): Promise<LaunchableSource>;
  run(spec: JobSpec, signal: AbortSignal, onEvent: (event: ScriptEvent) => void): Promise<Outcome>;
  /**
   * Stops and removes what gateways that died have left here: launches of `deployment` of which `isOver` says so. What
   * has only just begun is left alone. Gives the runs' ids. May be called at any time, also for what is gone.
   */
  reap(deployment: string, isOver: (left: LeftBehind) => Promise<boolean>): Promise<string[]>;
  /** Throws `RUNNER_UNAVAILABLE` when nothing could be launched now. */
  check(): Promise<void>;
  /** Ends what the runner started for its own purposes, and starts nothing more. Runs are ended by their signal. */
  close(): Promise<void>;
}
