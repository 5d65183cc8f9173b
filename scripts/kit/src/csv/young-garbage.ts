import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type CollectGarbage = (options: { type: 'minor' }) => void;

let collect: CollectGarbage | undefined;

/**
 * Frees the buffers that nobody holds any more. V8 counts only the few bytes that a buffer takes on its heap, so that tens of
 * megabytes beside it would be waiting before it looks; young ones are found within a millisecond.
 */
export function collectYoungGarbage(): void {
  collect ??= collector();
  collect({ type: 'minor' });
}

function collector(): CollectGarbage {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as CollectGarbage;
}
