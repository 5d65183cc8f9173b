import { LakeError } from './lake';

/** A piece of a body, of the size that the store takes best. */
export interface Block {
  data: Buffer;
  /** Nothing follows. */
  last: boolean;
}

/** Only addresses are taken for it. Blocks of a sixteenth hold the first 80 GB of an object in S3. */
const ROOM_TO_GROW = 16;

/**
 * Cuts `body` into blocks of `sizeOf(1)`, `sizeOf(2)` … bytes; the last may be shorter or empty. Two buffers take turns:
 * a block's data is overwritten when the next but one is asked for.
 */
export async function* inBlocks(
  body: AsyncIterable<Uint8Array>,
  sizeOf: (number: number) => number,
): AsyncGenerator<Block, undefined> {
  const memories: (SharedArrayBuffer | undefined)[] = [];
  const buffer = (number: number): Buffer => {
    const turn = number % 2;
    const size = sizeOf(number);
    let memory = memories[turn];
    // Shared, so that another thread can hash it; pages that stay unused cost nothing. It grows where it is: a larger one
    // in its place would leave the smaller to the garbage collectors of both threads, which come late.
    if (memory === undefined || memory.maxByteLength < size) {
      memory = new SharedArrayBuffer(size, { maxByteLength: size * ROOM_TO_GROW });
      memories[turn] = memory;
    }
    if (memory.byteLength < size) memory.grow(size);
    return Buffer.from(memory, 0, size);
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
