/**
 * Timestamps for object keys: UTC seconds, and never the same twice for one database, however quick its runs follow on
 * one another or the clock steps back.
 */
export class Timestamps {
  readonly #last = new Map<string, number>();

  constructor(private readonly now: () => number = Date.now) {}

  /** The instant whose seconds stand in the keys of the next run of `database`. */
  next(database: string): Date {
    const second = Math.floor(this.now() / 1000);
    const allotted = Math.max(second, (this.#last.get(database) ?? 0) + 1);
    this.#last.set(database, allotted);
    return new Date(allotted * 1000);
  }
}
