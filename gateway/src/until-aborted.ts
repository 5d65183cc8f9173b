import { within } from '@ingesta/kit';

/** `work`, or the signal's reason once it is aborted: for what goes on in the background all the same. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** For the catch of `untilAborted`: once the signal is aborted `work` has `ms` more to come, or `late()` is thrown. */
export const graceFor =
  <T>(work: Promise<T>, signal: AbortSignal, ms: number, late: () => Error) =>
  (error: unknown): Promise<T> => {
    if (!signal.aborted) throw error;
    return within(ms, work, late);
  };
