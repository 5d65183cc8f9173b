import { readFileSync } from 'node:fs';
import { orNothing, processTree } from './process-tree';

const POLL_MS = 50;

/**
 * Peak resident memory of a process and all that descend from it, by polling /proc: the largest sum seen at one moment,
 * and never less than the largest peak that the kernel itself recorded of one process (VmHWM). Pages that several
 * processes share count for each.
 */
export class PeakMemory {
  #peak = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(readonly pid: number) {
    this.#look();
    this.#timer = setInterval(() => this.#look(), POLL_MS);
  }

  /** Ends the polling and gives the bytes; null where there is no /proc. */
  stop(): number | null {
    clearInterval(this.#timer);
    return this.#peak === 0 ? null : this.#peak;
  }

  #look(): void {
    let sum = 0;
    for (const { now, peak } of processTree(this.pid).map(memoryOf)) {
      sum += now;
      this.#peak = Math.max(this.#peak, peak);
    }
    this.#peak = Math.max(this.#peak, sum);
  }
}

function memoryOf(pid: number): { now: number; peak: number } {
  const status = orNothing('', () => readFileSync(`/proc/${pid}/status`, 'utf8'));
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { now: bytes('VmRSS'), peak: bytes('VmHWM') };
}
