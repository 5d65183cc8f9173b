import { spawn } from 'node:child_process';
import { MAX_RESULT_BYTES } from '@ingesta/kit';
import { STOP_SECONDS } from '../../../gateway/src/runners/runner';
import type { Observation } from '../observation';
import { StderrLines } from './stderr-lines';
import type { Launch, Subject } from './subject';

/** What a program needs from its surroundings: nothing of the settings that stand in ours. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SystemRoot'];
const SIGNAL_EXITS: Partial<Record<NodeJS.Signals, number>> = {
  SIGKILL: 137,
  SIGTERM: 143,
  SIGSEGV: 139,
  SIGABRT: 134,
};

/** How a command is to be started. */
export interface CommandLine {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly timeoutMs: number;
}

/** A script as a child process, in a process group of its own, as the gateway's process runner starts it. */
export class CommandSubject implements Subject {
  readonly kind = 'command';
  readonly name: string;
  readonly route = { host: '127.0.0.1', listen: '127.0.0.1' };

  constructor(private readonly line: CommandLine) {
    this.name = line.name;
  }

  describe(): Promise<Observation> {
    return this.#spawn({ args: ['--describe'], env: {}, stdin: null });
  }

  launch({ job, by, env = job.env, args = [], signal, onLine }: Launch): Promise<Observation> {
    return by === 'stdin'
      ? this.#spawn({ args, env: { INGESTA_JOB: 'stdin' }, stdin: JSON.stringify(job), signal, onLine })
      : this.#spawn({ args, env: { ...env, INGESTA_SOURCE: this.name }, stdin: null, signal, onLine });
  }

  labelProblems(): null {
    return null;
  }

  #spawn(start: {
    args: readonly string[];
    env: Readonly<Record<string, string>>;
    stdin: string | null;
    signal?: AbortSignal;
    onLine?: (line: string) => void;
  }): Promise<Observation> {
    const [program, ...fixed] = this.line.command;
    const began = performance.now();
    const late = AbortSignal.timeout(this.line.timeoutMs);
    const signal = AbortSignal.any([late, ...(start.signal ? [start.signal] : [])]);
    const child = spawn(program === 'node' ? process.execPath : program!, [...fixed, ...start.args], {
      cwd: this.line.cwd,
      env: { ...surroundings(), ...start.env },
      stdio: [start.stdin === null ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    let killTimer: NodeJS.Timeout | undefined;
    const stop = () => {
      signalGroup(child.pid, 'SIGTERM');
      killTimer ??= setTimeout(() => signalGroup(child.pid, 'SIGKILL'), STOP_SECONDS * 1000);
    };
    const stdout: Buffer[] = [];
    let bytes = 0;
    child.stdout!.on('data', (chunk: Buffer) => {
      if (bytes <= MAX_RESULT_BYTES) stdout.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_RESULT_BYTES) stop();
    });
    const stderr = new StderrLines(start.onLine);
    child.stderr!.on('data', (chunk: Buffer) => stderr.write(chunk));
    // A script that exits without reading its job breaks the pipe; its exit code says why.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(start.stdin);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    return new Promise<Observation>((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`${program} cannot be started: ${error.message}`)));
      // Whatever the script itself started and left behind would hold the pipes.
      child.once('exit', () => signalGroup(child.pid, 'SIGKILL'));
      child.once('close', (code, death) =>
        resolve({
          exitCode: code ?? SIGNAL_EXITS[death ?? 'SIGKILL'] ?? 128,
          stdout: Buffer.concat(stdout),
          stdoutProblem: bytes > MAX_RESULT_BYTES ? 'too_long' : null,
          stderr: stderr.text,
          timedOut: late.aborted,
          durationMs: performance.now() - began,
          inspected: null,
        }),
      );
    }).finally(() => {
      clearTimeout(killTimer);
      signal.removeEventListener('abort', stop);
    });
  }
}

const surroundings = (): Record<string, string> =>
  Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}
