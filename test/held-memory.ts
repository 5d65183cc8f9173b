import { collectGarbage } from '@ingesta/kit';

/**
 * Bytes that this process holds, on V8's heap and beside it. Garbage is collected first: how much of it lies about is
 * the collector's mood, and no test's matter. Takes its time (a second in a worker that has run a hundred tests): a few
 * looks are enough.
 */
export function heldMemory(): number {
  // Twice: buffers of the first time may still be on their way out beside us.
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
