import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScriptEvent, SourceDescription } from '@ingesta/kit';
import { ApiError } from '../errors';
import type { ShippedSources } from '../sources/shipped-sources';
import {
  type JobSpec,
  type LaunchableSource,
  MEMORY_EXITS,
  type Outcome,
  type Runner,
  type SourceListing,
  STOP_SECONDS,
} from './runner';
import { ScriptStreams } from './script-streams';

const STOP_MS = STOP_SECONDS * 1000;
const SIGNAL_EXITS: Partial<Record<NodeJS.Signals, number>> = {
  SIGKILL: 137,
  SIGTERM: 143,
  SIGSEGV: 139,
  SIGABRT: 134,
};
/** What a program needs from its surroundings; everything else comes over stdin. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SystemRoot'];

/** Where the AWS SDK's chain looks, for a script that finds its credentials itself. */
const AWS_CHAIN = [
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_ROLE_ARN',
  'AWS_ROLE_SESSION_NAME',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_EC2_METADATA_DISABLED',
  'AWS_EC2_METADATA_SERVICE_ENDPOINT',
  'AWS_EC2_METADATA_V1_DISABLED',
  // STS, which is asked where a role is assumed.
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_STS',
];

/** Runs each job as a child process of the same bundle that the image holds: for machines without Docker. */
export class ProcessRunner implements Runner {
  readonly name = 'process';

  constructor(
    private readonly shipped: ShippedSources,
    private readonly env: Readonly<Record<string, string | undefined>>,
  ) {}

  async list(): Promise<SourceListing[]> {
    return this.shipped.names().map((name) => {
      const reference = this.#folder(name);
      const title = this.shipped.title(name);
      const hint = problemOf(name, reference, this.shipped);
      return hint ? { name, reference, present: false, title, hint } : { name, reference, present: true, title };
    });
  }

  async resolve(name: string): Promise<LaunchableSource> {
    const description = this.shipped.get(name);
    if (description === null) {
      const known = this.shipped.names().join(', ') || '(none)';
      throw new ApiError('UNKNOWN_SOURCE', `There is no source "${name}"`, { hint: `Known: ${known}.` });
    }
    const reference = this.#folder(name);
    const hint = notBuilt(description, reference);
    if (hint) throw new ApiError('IMAGE_NOT_FOUND', `The script of ${name} is not built`, { hint, database: name });
    return { name, envPrefix: '', runner: 'process', reference, digest: null, description };
  }

  async run(spec: JobSpec, signal: AbortSignal, onEvent: (event: ScriptEvent) => void): Promise<Outcome> {
    const [command, ...args] = spec.source.description.command;
    const startedAt = new Date();
    const child = spawn(command === 'node' ? process.execPath : command!, args, {
      cwd: spec.source.reference,
      env: {
        ...this.#surroundings(spec.ownCredentials !== null),
        INGESTA_JOB: 'stdin',
        NODE_OPTIONS: `--max-old-space-size=${spec.memoryMiB}`,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      // Its own process group, so that what it starts can be ended with it.
      detached: true,
    });
    let killTimer: NodeJS.Timeout | undefined;
    const stop = () => {
      signalGroup(child, 'SIGTERM');
      killTimer ??= setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_MS);
    };
    const streams = new ScriptStreams(onEvent, stop);
    child.stdout.on('data', (chunk: Buffer) => streams.stdout(chunk));
    child.stderr.on('data', (chunk: Buffer) => streams.stderr(chunk));
    // A script that exits without reading its job breaks the pipe; its exit code says why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(spec.job));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      const exitCode = await exitOf(child);
      const output = streams.end();
      return {
        exitCode,
        oomKilled: MEMORY_EXITS.includes(exitCode) && !signal.aborted && !output.overflowed,
        stdout: output.stdout,
        stdoutProblem: output.overflowed ? 'too_long' : null,
        stderrTail: output.stderrTail,
        startedAt,
        finishedAt: new Date(),
      };
    } finally {
      clearTimeout(killTimer);
      signal.removeEventListener('abort', stop);
      // Whatever the script itself started and left behind.
      signalGroup(child, 'SIGKILL');
    }
  }

  async reap(): Promise<string[]> {
    return []; // A process that outlives its gateway ends at its deadline; nothing tells for certain whose it is.
  }

  async check(): Promise<void> {
    if ((await this.list()).some(({ present }) => present)) return;
    throw new ApiError(
      'RUNNER_UNAVAILABLE',
      `No built scripts in ${this.shipped.folder ?? '(SCRIPTS_DIR is not set)'}`,
      {
        hint: 'Set SCRIPTS_DIR to the scripts/ folder of the repository, after npm run build.',
      },
    );
  }

  async close(): Promise<void> {
    // Whatever it starts is a run.
  }

  #folder(name: string): string {
    return join(this.shipped.folder ?? '', name);
  }

  #surroundings(ownCredentials: boolean): Record<string, string> {
    const names = ownCredentials ? [...PASSED_ON, ...AWS_CHAIN] : PASSED_ON;
    return Object.fromEntries(names.flatMap((name) => (this.env[name] === undefined ? [] : [[name, this.env[name]]])));
  }
}

/** Why a source cannot be launched and what to do about it, or null. */
function problemOf(name: string, folder: string, shipped: ShippedSources): string | null {
  try {
    const description = shipped.get(name);
    return description && notBuilt(description, folder);
  } catch (error) {
    return (error as Error).message;
  }
}

/** A hint when the program that `source.json` names as a file is not there, else null. */
function notBuilt({ command }: SourceDescription, folder: string): string | null {
  const file = command.find((part) => part.includes('/') && !part.startsWith('-'));
  return file === undefined || existsSync(join(folder, file)) ? null : 'Build the scripts: npm run build';
}

async function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new ApiError('RUNNER_UNAVAILABLE', `The script cannot be started: ${error.message}`, { cause: error }));
    });
    child.once('exit', (code, signal) => {
      const exit = code ?? SIGNAL_EXITS[signal ?? 'SIGKILL'] ?? 128;
      // `close` waits for the pipes; a grandchild may hold them for ever.
      const closed = new Promise<void>((done) => child.once('close', () => done()));
      void Promise.race([closed, sleep(2000, undefined, { ref: false })]).then(() => resolve(exit));
    });
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}
