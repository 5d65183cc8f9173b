/** What a run that failed may leave: whole objects of tables that were finished, which nobody will ever point at. */
export interface Left {
  readonly key: string;
  readonly bytes: number;
}

/** Where a whole object of the same table stands: its key without the timestamp, and its size. */
export const shapeOf = (key: string, timestamp: string): string => key.replace(timestamp, '');

/**
 * What is wrong with what a failed run left behind. `whole` are sizes of complete objects by `shapeOf`: of a table that
 * was finished before the failure, such an object may stay.
 */
export function leftoverProblems(
  left: readonly Left[],
  timestamp: string,
  whole: ReadonlyMap<string, number>,
): string[] {
  return left.flatMap(({ key, bytes }) => {
    if (key.startsWith('_ingesta/')) return [`it left ${key}, which speaks of success`];
    const size = whole.get(shapeOf(key, timestamp));
    if (size === undefined) return [`it left ${key}`];
    return size === bytes ? [] : [`it left ${key} with ${bytes} of ${size} bytes`];
  });
}
