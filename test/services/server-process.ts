import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from './account';
import { tail } from './command';

/** A server to run in the background until `stop`. */
export interface ServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Gets stdout and stderr. */
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly account?: Account;
  readonly stopSignal?: NodeJS.Signals;
  /** Its own session: a Ctrl-C in the terminal reaches us first, and we stop it in order. */
  readonly detached?: boolean;
  readonly readyWithinMs?: number;
}

const POLL_MS = 50;
const STOP_WITHIN_MS = 15_000;

/** Starts the server, waits until `ready` stops throwing, and gives what it returned and how to stop the server. */
export async function startServer<T>(
  options: ServerOptions,
  ready: () => Promise<T>,
): Promise<{ readonly answer: T; stop(): Promise<void> }> {
  const log = openSync(options.logFile, 'a');
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', log, log],
    detached: options.detached ?? false,
    ...options.account,
  });
  closeSync(log);
  let failure: string | undefined;
  child.once('error', (error) => {
    failure = error.message;
  });
  child.once('exit', (code, signal) => {
    failure ??= `ended at once (${signal ?? code}): ${tail(readFileSync(options.logFile, 'utf8'))}`;
  });
  const stop = (): Promise<void> => stopChild(child, options.stopSignal ?? 'SIGTERM');
  const deadline = Date.now() + (options.readyWithinMs ?? 180_000);
  for (;;) {
    try {
      return { answer: await ready(), stop };
    } catch (error) {
      if (failure !== undefined) throw new Error(`${options.command} ${failure}`);
      if (Date.now() > deadline) {
        await stop();
        throw new Error(`${options.command} did not answer: ${error instanceof Error ? error.message : String(error)}`);
      }
      await sleep(POLL_MS);
    }
  }
}

/** Asks the process to end, and makes it end when it does not. */
async function stopChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await ended;
  clearTimeout(timer);
}

/** A port that nothing listens on, on any address. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '0.0.0.0', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port')),
      );
    });
  });
}
