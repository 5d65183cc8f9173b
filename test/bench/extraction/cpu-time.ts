import { readFileSync } from 'node:fs';
import { orNothing, processTree } from './process-tree';

/** The kernel's unit for times in /proc, on every Linux that Node runs on. */
const TICK_MS = 10;

/** Milliseconds of processor time during one run of a program. */
export interface CpuTime {
  /** Of the program and what it started. */
  readonly program: number;
  /** Of the servers that this process has started: the database, S3. */
  readonly servers: number;
}

interface Reading {
  /** Of the children that have ended. */
  readonly ended: number;
  /** Of those that are there, with their own ended children. */
  readonly running: number;
}

/**
 * Starts a clock that tells, once the program has ended, what it and the servers took. Both are descendants of this
 * process: whoever ended in between was the program, whoever is still there is a server. Tells null where there is no /proc.
 */
export function cpuClock(): () => CpuTime | null {
  const before = read();
  return () => {
    const after = read();
    if (!before || !after) return null;
    return { program: after.ended - before.ended, servers: after.running - before.running };
  };
}

function read(): Reading | null {
  const [self, ...others] = processTree(process.pid).map(timesOf);
  if (!self) return null;
  const running = others.reduce((sum, times) => sum + (times ? times.own + times.children : 0), 0);
  return { ended: self.children, running };
}

/** Fields 14 to 17 of /proc/<pid>/stat; the second one is a name, which may hold anything. */
function timesOf(pid: number): { own: number; children: number } | null {
  const stat = orNothing('', () => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map((ticks) => Number(ticks) * TICK_MS);
  return cstime === undefined ? null : { own: utime! + stime!, children: cutime! + cstime };
}
