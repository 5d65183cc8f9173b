import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine';
import { docker } from './images';

/** A database server that runs in a container. */
export interface ContainerOptions {
  readonly image: string;
  readonly args: readonly string[];
  /** Handed over by name, so that no password stands in a command line. */
  readonly env: Record<string, string>;
  readonly containerPort: number;
  readonly hostPort: number;
  /** A temporary folder of the host that the server logs to, mounted at `LOG_FOLDER`; removed with the server. */
  readonly logFolder: string;
}

/** Where the log folder is inside the container. */
export const LOG_FOLDER = '/ingesta-log';

const READY_WITHIN_MS = 90_000;
const POLL_MS = 250;

/** Runs the container until `stop`; ready when `ready` stops throwing. */
export async function startContainer<T>(
  engine: Engine,
  options: ContainerOptions,
  ready: () => Promise<T>,
): Promise<{ readonly answer: T; stop(): Promise<void> }> {
  const addresses = ['127.0.0.1', ...(engine.gateway ? [engine.gateway] : [])];
  const ports = addresses.flatMap((address) => ['-p', `${address}:${options.hostPort}:${options.containerPort}`]);
  const names = Object.keys(options.env).flatMap((name) => ['-e', name]);
  const mount = ['-v', `${options.logFolder}:${LOG_FOLDER}`];
  const run = ['run', '-d', ...ports, ...names, ...mount, options.image, ...options.args];
  let id: string | undefined;
  const stop = async (): Promise<void> => {
    if (id) await docker(['rm', '-f', '-v', id]);
    await rm(options.logFolder, { recursive: true, force: true });
  };
  try {
    id = (await docker(run, undefined, { ...process.env, ...options.env })).trim();
    return { answer: await untilReady(ready), stop };
  } catch (error) {
    await stop();
    throw new Error(`${options.image}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function untilReady<T>(ready: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      return await ready();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}
