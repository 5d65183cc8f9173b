/**
 * `work`, or a rejection with `late()` when it takes longer: what asks somebody who may never answer must not hang with
 * them. The work itself goes on unheard; where it can be stopped, the caller stops it.
 */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
