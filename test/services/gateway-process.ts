import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const START_MS = 60_000;

/** The built gateway, in a process of its own. */
export interface GatewayProcess {
  readonly url: string;
  readonly pid: number;
  readonly logFile: string;
  /** Its exit code, once it has ended; null after a signal. */
  readonly ended: Promise<number | null>;
  /** Asks it to end and gives its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts the gateway with these settings and nothing of this shell's; `flags` are Node's. Throws with what it said when it
 * does not start.
 */
export function startGateway(
  root: string,
  folder: string,
  settings: Record<string, string>,
  flags: readonly string[] = [],
): Promise<GatewayProcess> {
  const logFile = join(folder, 'gateway.log');
  const { PATH, HOME, TMPDIR, DOCKER_HOST } = process.env;
  const surroundings = Object.entries({ PATH, HOME, TMPDIR, DOCKER_HOST }).filter(([, value]) => value !== undefined);
  const child = spawn(process.execPath, [...flags, join(root, 'gateway/dist/main.js')], {
    // Away from the repository: somebody's .env there is not for us.
    cwd: folder,
    env: { ...Object.fromEntries(surroundings), HOST: '127.0.0.1', PORT: '0', ...settings },
    stdio: ['ignore', 'ignore', 'pipe'],
    // Ctrl-C in the terminal is for whoever started it, who then stops the gateway in order.
    detached: true,
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  child.stderr.pipe(createWriteStream(logFile, { flags: 'a' }));
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return ended;
  };
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const late = async () => {
      await stop('SIGKILL');
      reject(new Error('The gateway did not start in time'));
    };
    const timer = setTimeout(() => void late(), START_MS);
    createInterface(child.stderr).on('line', (line) => {
      said.push(line);
      if (said.length > 20) said.shift();
      const url = /"url":"(http:[^"]+)"/.exec(line)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve({ url, pid: child.pid!, logFile, ended, stop });
    });
    child.stderr.once('close', () => {
      clearTimeout(timer);
      reject(new Error(`The gateway ended: ${said.join('\n')}`));
    });
  });
}
