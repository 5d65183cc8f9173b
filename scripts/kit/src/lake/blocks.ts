import { LakeError } from './lake';

/** A piece of a body, of the size that the store takes best. */
export interface Block {
  data: Buffer;
  /** Nothing follows. */
  last: boolean;
}

/**
 * Cuts `body` into blocks of `sizeOf(1)`, `sizeOf(2)` … bytes; the last may be shorter or empty. Two buffers take turns:
 * a block's data is overwritten when the next but one is asked for.
 */
export async function* inBlocks(
  body: AsyncIterable<Uint8Array>,
  sizeOf: (number: number) => number,
): AsyncGenerator<Block, undefined> {
  const buffers: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
  const buffer = (number: number): Buffer => {
    const turn = number % 2 === 0 ? 0 : 1;
    const size = sizeOf(number);
    // Shared, so that another thread can hash it; pages that stay unused cost nothing.
    if (buffers[turn].length !== size) buffers[turn] = Buffer.from(new SharedArrayBuffer(size));
    return buffers[turn];
  };
  let number = 1;
  let block = buffer(number);
  let used = 0;
  for await (const chunk of body) {
    for (let taken = 0; taken < chunk.length; ) {
      // A full block waits for one more byte, so that it is known whether it is the last.
      if (used === block.length) {
        yield { data: block, last: false };
        number += 1;
        block = buffer(number);
        used = 0;
      }
      const piece = chunk.subarray(taken, taken + block.length - used);
      block.set(piece, used);
      used += piece.length;
      taken += piece.length;
    }
  }
  yield { data: block.subarray(0, used), last: true };
  return undefined;
}

/** What a call stopped by `signal` throws: the failure it was aborted with, or `aborted`. */
export const abortError = (signal: AbortSignal): LakeError =>
  signal.reason instanceof LakeError
    ? signal.reason
    : new LakeError('aborted', 'the upload was aborted', 'Nothing was left under the key; run it again.', {
        cause: signal.reason,
      });

/** `body`, ended by `signal` at once even while it hangs: a body may wait for a database that is gone. */
export async function* abortable<T>(body: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, undefined> {
  const iterator = body[Symbol.asyncIterator]();
  let stop: (reason: LakeError) => void = () => {};
  const onAbort = () => stop(abortError(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  let ended = false;
  try {
    while (true) {
      if (signal.aborted) throw abortError(signal);
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        stop = reject;
        iterator.next().then(resolve, (error) => {
          ended = true;
          reject(error);
        });
      });
      if (next.done) {
        ended = true;
        return undefined;
      }
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Not awaited: a hanging body answers only when it is done hanging.
    if (!ended) iterator.return?.().then(undefined, () => {});
  }
}
