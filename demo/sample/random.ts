const DAY_MS = 86_400_000;

/** FNV-1a over the parts, so that neighbouring rows and equal ids of different tables get unrelated streams. */
const hash = (text: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  }
  return h >>> 0;
};

/** A day as the number of days since 1970-01-01, so that dates can be added and drawn as integers. */
export const dayOf = (date: string): number => Math.round(Date.parse(`${date}T00:00:00Z`) / DAY_MS);

/** The day as `YYYY-MM-DD`; years 0 to 9999. */
export const dateText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/**
 * Deterministic random numbers: mulberry32 by Tommy Ettinger (public domain). Not for secrets.
 *
 * One stream belongs to one row, named by seed, table and id. That makes every row a pure function of its id: a claim
 * can ask for its policy without anyone keeping the policies in memory.
 */
export class Random {
  private state: number;

  constructor(seed: number, table: string, id: number) {
    this.state = hash(`${seed}/${table}/${id}`);
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer from `min` to `max`, both included; the range must stay below 2^32. */
  int(min: number, max: number): number {
    return min + Math.floor((this.bits() / 2 ** 32) * (max - min + 1));
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.int(1, 100) <= percent;
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.int(0, from.length - 1)];
    if (picked === undefined) throw new RangeError('nothing to pick from an empty list');
    return picked;
  }

  /** A day from `first` to `last`, both included, see `dayOf`. */
  day(first: number, last: number): number {
    return this.int(first, last);
  }

  /** A time of day with `digits` (0 to 6) decimals of the second: `15:30:45.123456`. */
  time(digits: number): string {
    const two = (n: number) => String(n).padStart(2, '0');
    const clock = `${two(this.int(0, 23))}:${two(this.int(0, 59))}:${two(this.int(0, 59))}`;
    return digits === 0 ? clock : `${clock}.${String(this.int(0, 10 ** digits - 1)).padStart(digits, '0')}`;
  }

  /**
   * A version 4 UUID that no other `id` (below 2^32) of the same table gets: two rows may draw the same bits, so the
   * last ones are the id, scrambled by a factor that maps no two ids to the same number.
   */
  uuid(id: number): string {
    const hex = [this.bits(), this.bits(), this.bits(), Math.imul(id, 0x9e3779b1) >>> 0]
      .map((word) => word.toString(16).padStart(8, '0'))
      .join('');
    const variant = '89ab'.charAt(Number.parseInt(hex.charAt(16), 16) % 4);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}
