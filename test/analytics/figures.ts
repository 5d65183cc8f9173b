/** Cents of a decimal text: exact, so that sums are. */
export const cents = (amount: string): number => Number(amount.replace('.', ''));

const round = (value: number, digits: number): number => {
  const rounded = Math.round(Math.abs(value) * 10 ** digits) / 10 ** digits;
  return value < 0 && rounded !== 0 ? -rounded : rounded;
};

/** Money from cents. */
export const money = (sum: number): number => round(sum / 100, 2);

/** A mean amount from cents; null of nothing. */
export const meanMoney = (sum: number, count: number): number | null =>
  count === 0 ? null : round(sum / 100 / count, 2);

/** A ratio with six digits; null where it would divide by zero. */
export const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : round(part / whole, 6));

export const total = (values: Iterable<number>): number => [...values].reduce((sum, value) => sum + value, 0);

export function groupBy<T, K>(rows: Iterable<T>, keyOf: (row: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

type Key = string | number | null;

/** As answers are ordered: by their figure, the largest first, nothing last; then by key. */
export function byFigure<T>(rows: readonly T[], figure: (row: T) => number | null, key: (row: T) => Key): T[] {
  const keys = (a: Key, b: Key) => {
    if (a === b) return 0;
    if (a === null || b === null) return a === null ? 1 : -1;
    if (typeof a === 'number') return a - (b as number);
    // Code points, as every engine compares text.
    return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
  };
  return [...rows].sort((a, b) => (figure(b) ?? -Infinity) - (figure(a) ?? -Infinity) || keys(key(a), key(b)));
}

const DAY_MS = 86_400_000;

/** Calendar days (UTC) from one instant to another. */
export const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to.slice(0, 10)) - Date.parse(from.slice(0, 10))) / DAY_MS);

/** Age in full years on a day. */
export function ageOn(birthday: string, day: string): number {
  const years = Number(day.slice(0, 4)) - Number(birthday.slice(0, 4));
  return birthday.slice(5) > day.slice(5) ? years - 1 : years;
}

export const ageGroup = (age: number): string => {
  if (age < 18) return '0-17';
  if (age < 30) return '18-29';
  if (age < 45) return '30-44';
  return age < 60 ? '45-59' : '60+';
};
