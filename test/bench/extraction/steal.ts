import { readFileSync } from 'node:fs';
import { orNothing } from './process-tree';

/** From this share of the processors' time on that others took a run is repeated, so often at most, unless it is long. */
const DISTURBED = 0.03;
const REPEATS = 3;
const LONG_MS = 15_000;

/** A run of a program as disturbed as it was. */
interface Run {
  readonly ms: number;
  readonly steal: number | null;
}

/** Runs once; a short run that the machine's host disturbed is repeated, and the least disturbed one counts. */
export async function leastDisturbed<T extends Run>(run: () => Promise<T>): Promise<T> {
  let best = await run();
  for (let i = 0; i < REPEATS && (best.steal ?? 0) > DISTURBED && best.ms < LONG_MS; i++) {
    const next = await run();
    if ((next.steal ?? 0) < (best.steal ?? 0)) best = next;
  }
  return best;
}

/**
 * Starts a clock that tells which share of the processors' time the machine's host has given to others since (`steal` in
 * /proc/stat): 0 on a machine of one's own. Null where there is no /proc.
 */
export function stealClock(): () => number | null {
  const before = read();
  return () => {
    const after = read();
    if (!before || !after) return null;
    const total = after.total - before.total;
    return total === 0 ? 0 : (after.stolen - before.stolen) / total;
  };
}

/** The line `cpu` has user, nice, system, idle, iowait, irq, softirq and steal; what follows is part of the first two. */
function read(): { stolen: number; total: number } | null {
  const line = orNothing('', () => readFileSync('/proc/stat', 'utf8')).split('\n', 1)[0]!;
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  if (ticks.length < 8) return null;
  return { stolen: ticks[7]!, total: ticks.reduce((sum, one) => sum + one, 0) };
}
