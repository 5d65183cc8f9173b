import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Gc = (options?: { type: 'minor' }) => void;

let gc: Gc | undefined;

/**
 * Frees the young buffers that nobody holds any more, within a millisecond. V8 counts only the few bytes that a buffer
 * takes on its heap, so that tens of megabytes beside it would be waiting before it looks.
 */
export function collectYoungGarbage(): void {
  gc ??= exposed();
  gc({ type: 'minor' });
}

/** The same for all buffers, within ten milliseconds: worth it once huge ones have been let go. */
export function collectGarbage(): void {
  gc ??= exposed();
  // Without options: Node 20 takes any for those of a minor collection.
  gc();
}

function exposed(): Gc {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Gc;
}
