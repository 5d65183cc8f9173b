import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { tail } from '../../services/command';
import type { Program } from './contender';
import { type CpuTime, cpuClock } from './cpu-time';
import { PeakMemory } from './peak-memory';
import { stealClock } from './steal';

/** After this a program is taken for stuck. */
const LIMIT_MS = 20 * 60_000;
const KEPT_CHARACTERS = 64 * 1024;
const MAX_STDOUT = 16 * 1024 * 1024;

/** One run of a program. */
export interface Measured {
  /** From starting the program to its end. */
  readonly ms: number;
  readonly peakRss: number | null;
  readonly cpu: CpuTime | null;
  /** The share of the processors' time that the host gave to other machines meanwhile. */
  readonly steal: number | null;
  readonly stdout: string;
}

/** Runs the program to its end. Throws with the end of what it said when it fails. */
export function measure(program: Program): Promise<Measured> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  const target = program.stdoutFile === undefined ? undefined : openSync(program.stdoutFile, 'w');
  const clock = cpuClock();
  const stolen = stealClock();
  const started = performance.now();
  const child = spawn(program.command, program.args, {
    env: { PATH, HOME, ...(TMPDIR && { TMPDIR }), ...program.env },
    stdio: ['pipe', target ?? 'pipe', 'pipe'],
  });
  if (target !== undefined) closeSync(target);
  child.stdin?.on('error', () => undefined); // It may end without reading; its exit code tells.
  child.stdin?.end(program.stdin ?? '');
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout = (stdout + text).slice(-MAX_STDOUT);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_CHARACTERS);
  });
  const ended = new AbortController();
  const memory = watch(child.pid, program, ended.signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  let ms = 0;
  let steal: number | null = null;
  child.once('exit', () => {
    ms = performance.now() - started;
    steal = stolen();
    ended.abort();
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      clearTimeout(timer);
      void memory.then((peak) => peak?.stop());
      reject(error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      void memory.then((peak) => {
        const peakRss = peak?.stop() ?? null;
        // A container is no child of ours.
        const cpu = program.memoryOf ? null : clock();
        if (code === 0) resolve({ ms, peakRss, cpu, steal, stdout });
        else reject(new Error(`ended with ${signal ?? code}: ${tail(stderr || stdout, 3).slice(0, 400)}`));
      });
    });
  });
}

/** The memory of the started process, or of the one that the program says. */
async function watch(
  started: number | undefined,
  program: Program,
  ended: AbortSignal,
): Promise<PeakMemory | undefined> {
  const root = program.memoryOf ? await program.memoryOf(ended) : started;
  return root === undefined ? undefined : new PeakMemory(root);
}
