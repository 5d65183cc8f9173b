import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './gateway';

export interface ClientRun {
  readonly pid: number;
  /** What it said so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
}

/** Starts the built command-line client, outside a terminal, with nothing of this shell's settings. */
export function startClient(args: readonly string[], env: Record<string, string>): ClientRun {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [join(ROOT, 'cli/bin/ingesta.js'), ...args], {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { pid: child.pid!, stdout: () => stdout, stderr: () => stderr, ended };
}

/** Runs it to its end. */
export async function client(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const run = startClient(args, env);
  const code = await run.ended;
  return { code, stdout: run.stdout(), stderr: run.stderr() };
}
