import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ScriptOutput } from '../contract/result';

/** How a script's process ended. */
export interface BundleRun {
  exitCode: number | null;
  output: ScriptOutput;
  /** Peak of the resident memory in bytes; 0 where /proc does not tell. */
  peakRss: number;
}

/** Milliseconds; the kernel keeps the peak, so only what comes after the last look can be missed. */
const LOOK_EVERY = 20;

/**
 * Runs the built program of a source (`npm run build` made it) as the process runner would, on a folder lake of its own
 * and configured by `env` alone; hands the run to `look` while the lake is there.
 */
export async function runBundle<T>(
  source: string,
  env: Record<string, string>,
  look: (run: BundleRun, lakeFolder: string) => T | Promise<T>,
): Promise<T> {
  const lake = mkdtempSync(join(tmpdir(), `ingesta-${source}-`));
  try {
    const folder = join(__dirname, '../../..', source);
    const { command } = JSON.parse(readFileSync(join(folder, 'source.json'), 'utf8'));
    const child = spawn(process.execPath, command.slice(1), {
      cwd: folder,
      env: { PATH: process.env.PATH, INGESTA_SOURCE: source, LAKE_URL: pathToFileURL(lake).href, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let stdout = '';
    let peakRss = 0;
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    const timer = setInterval(() => {
      peakRss = Math.max(peakRss, peakOf(child.pid!));
    }, LOOK_EVERY);
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    clearInterval(timer);
    return await look({ exitCode, output: JSON.parse(stdout), peakRss }, lake);
  } finally {
    rmSync(lake, { recursive: true, force: true });
  }
}

/** `VmHWM` of a process; 0 once it is gone. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
