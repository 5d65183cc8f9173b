import { readFileSync } from 'node:fs';

/** What a process has in memory now, what of it is its own and no file's (Node's program is 50 MB), and its peak: bytes. */
export interface ResidentMemory {
  now: number;
  own: number;
  peak: number;
}

/** Null where there is no /proc. */
export function residentMemory(pid: number): ResidentMemory | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)![1]) * 1024;
    return { now: bytes('VmRSS'), own: bytes('RssAnon'), peak: bytes('VmHWM') };
  } catch {
    return null;
  }
}
