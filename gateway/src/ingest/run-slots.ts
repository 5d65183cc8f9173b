import { ApiError } from '../errors';

/** What a client that was sent away waits before it comes again, in seconds. */
const RETRY_AFTER_S = 30;

/** So many runs at a time, and so many that wait for their turn, in their order. */
export class RunSlots {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(
    private readonly slots: number,
    private readonly places: number,
  ) {
    this.#free = slots;
  }

  /** How many have their turn, and how many wait. */
  load(): { running: number; queued: number } {
    return { running: this.slots - this.#free, queued: this.#waiting.length };
  }

  /** Resolves when it is one's turn, with what gives the place back. Throws `TOO_MANY_RUNS` when too many wait. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else if (this.#waiting.length >= this.places) {
      throw new ApiError('TOO_MANY_RUNS', 'This gateway has as many runs as it takes, and as many waiting', {
        headers: { 'Retry-After': String(RETRY_AFTER_S) },
      });
    } else await new Promise<void>((turn) => this.#waiting.push(turn));
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    };
  }
}
