import { readdirSync, readFileSync } from 'node:fs';

/** A process and all that descend from it, as far as they are there just now; only itself where there is no /proc. */
export function processTree(pid: number): number[] {
  const found = [pid];
  for (const parent of found) found.push(...childrenOf(parent));
  return found;
}

/** Any thread may have started a child. */
function childrenOf(pid: number): number[] {
  return orNothing([], () =>
    readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      orNothing([], () => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' '))
        .filter((text) => text !== '')
        .map(Number),
    ),
  );
}

/** Processes end while one looks at them. */
export function orNothing<T>(nothing: T, look: () => T): T {
  try {
    return look();
  } catch {
    return nothing;
  }
}
