import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError } from '../../../errors';
import { SqlProblem } from '../engine';
import type { FromWorker, ToWorker, WorkerFailure, WorkerRequest, WorkerSettings } from './messages';

export interface DuckDbChildOptions {
  /** The worker's bundle. */
  program: string;
  settings: Omit<WorkerSettings, 'workFolder'>;
  /** What the program needs of its surroundings; no secret: it shows in the process list. */
  env: Readonly<Record<string, string>>;
  /** The child leaves when it had nothing to do for so long; at once after a mere check of SQL. */
  idleMs: number;
  /** An aborted query gets so long to stop before the child is ended. */
  graceMs?: number;
  warn: (message: string, fields: Readonly<Record<string, string>>) => void;
}

interface Pending {
  request: WorkerRequest;
  signal: AbortSignal;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  retried: boolean;
}

interface Running {
  process: ChildProcess;
  pending: Map<number, Pending>;
  stderr: string;
  /** We ended it: whoever else was served by it may try again. */
  killed: boolean;
}

const STDERR_BYTES = 4096;
/** What a process gets to abort its uploads before it is killed; with the answers under way it fits into a gateway's shutdown. */
const STOP_MS = 2_000;
/** One check follows the other at start; the first query may be days away. */
const AFTER_CHECK_MS = 500;

/**
 * DuckDB in a process of its own: starts at the first request, leaves when idle, is started again after a crash. Requests
 * that a crash met fail; those that were met because another one had to be killed are asked again.
 */
export class DuckDbChild {
  #running: Running | null = null;
  readonly #alive = new Set<ChildProcess>();
  #nextId = 1;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly options: DuckDbChildOptions) {}

  /** Of the process that takes the next request; null while none runs. */
  get pid(): number | null {
    return this.#running?.process.pid ?? null;
  }

  /**
   * The worker's answer. Throws what it throws (`ApiError`, `SqlProblem`); when `signal` is aborted its reason, after the
   * work has stopped.
   */
  async request(request: WorkerRequest, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => this.#send({ request, signal, resolve, reject, retried: false }));
  }

  /** Ends the process and waits for it; safe twice. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    const ended = [...this.#alive].map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#alive) end(child);
    await Promise.all(ended);
  }

  #send(pending: Pending): void {
    if (this.#closed) {
      pending.reject(new ApiError('INTERNAL', 'The query engine was shut down'));
      return;
    }
    clearTimeout(this.#idle);
    this.#running ??= this.#start();
    const running = this.#running;
    const id = this.#nextId++;
    let grace: NodeJS.Timeout | undefined;
    const onAbort = () => {
      tell(running.process, { type: 'cancel', id });
      grace = setTimeout(() => {
        this.#detach(running);
        running.killed = true;
        end(running.process);
      }, this.options.graceMs ?? 2000);
    };
    const settle = (how: () => void) => {
      clearTimeout(grace);
      pending.signal.removeEventListener('abort', onAbort);
      running.pending.delete(id);
      if (running === this.#running && running.pending.size === 0)
        this.#leaveWhenIdle(running, pending.request.do === 'describe' ? AFTER_CHECK_MS : this.options.idleMs);
      if (pending.signal.aborted) pending.reject(pending.signal.reason);
      else how();
    };
    running.pending.set(id, {
      ...pending,
      resolve: (value) => settle(() => pending.resolve(value)),
      reject: (error) => settle(() => pending.reject(error)),
    });
    pending.signal.addEventListener('abort', onAbort, { once: true });
    tell(running.process, { type: 'request', id, request: pending.request });
  }

  #start(): Running {
    const workFolder = join(this.options.settings.cacheFolder, 'work', randomUUID());
    const child = fork(this.options.program, [], {
      // Not the gateway's own flags, which favour size over speed.
      execArgv: ['--max-old-space-size=256'],
      // A query takes a thread of libuv's for as long as it runs; the files must still be read meanwhile.
      env: { ...this.options.env, TZ: 'UTC', UV_THREADPOOL_SIZE: '64', MALLOC_ARENA_MAX: '2' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    const running: Running = { process: child, pending: new Map(), stderr: '', killed: false };
    this.#alive.add(child);
    child.stderr!.on('data', (chunk: Buffer) => {
      running.stderr = (running.stderr + chunk.toString('utf8')).slice(-STDERR_BYTES);
    });
    child.on('message', (message: FromWorker) => this.#receive(running, message));
    let over = false;
    const ended = (how: string) => {
      if (over) return;
      over = true;
      this.#alive.delete(child);
      this.#detach(running);
      this.#failAll(running, how);
      rm(workFolder, { recursive: true, force: true }).catch((error: Error) =>
        this.options.warn('a work folder of the query engine stays behind', { workFolder, cause: error.message }),
      );
    };
    child.once('error', (error) => ended(error.message));
    child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
    tell(child, { type: 'open', settings: { ...this.options.settings, workFolder } });
    return running;
  }

  #receive(running: Running, message: FromWorker): void {
    if (message.type === 'warning') {
      this.options.warn(message.message, message.fields);
      return;
    }
    const pending = running.pending.get(message.id);
    if (message.type === 'answer') pending?.resolve(message.value);
    // Of one that is being ended the exit tells: what fails now fails of that.
    else if (!running.killed) pending?.reject(errorOf(message.failure));
  }

  /** The next request starts another process. */
  #detach(running: Running): void {
    if (this.#running !== running) return;
    this.#running = null;
    clearTimeout(this.#idle);
  }

  #leaveWhenIdle(running: Running, idleMs: number): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#detach(running);
      // It finishes its uploads and ends.
      if (running.process.connected) running.process.disconnect();
    }, idleMs);
    this.#idle.unref();
  }

  #failAll(running: Running, how: string): void {
    for (const pending of [...running.pending.values()]) {
      const { request, signal, retried } = pending;
      if (running.killed && !signal.aborted && !retried && !this.#closed) {
        this.#send({ request, signal, resolve: pending.resolve, reject: pending.reject, retried: true });
        continue;
      }
      const cause = running.stderr ? new Error(running.stderr) : undefined;
      pending.reject(
        new ApiError('INTERNAL', `The query engine ended unexpectedly (${how})`, {
          hint: 'It starts again with the next request. If this repeats: DUCKDB_MEMORY_MB must fit into the memory of this machine or container.',
          cause,
        }),
      );
    }
  }
}

/** Has a child abort its uploads and end; kills one that does not. */
function end(child: ChildProcess): void {
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  child.once('exit', () => clearTimeout(late));
}

/** A child that is gone hears nothing; its exit settles what it was asked. */
function tell(child: ChildProcess, message: ToWorker): void {
  if (child.connected) child.send(message, () => undefined);
}

function errorOf(failure: WorkerFailure): Error {
  if (failure.kind === 'sql') return new SqlProblem(failure.statement, failure.message, failure.offset);
  const { code, message, hint, database, cause } = failure;
  return new ApiError(code, message, {
    hint,
    ...(database !== undefined && { database }),
    ...(cause !== null && { cause: new Error(cause) }),
  });
}
