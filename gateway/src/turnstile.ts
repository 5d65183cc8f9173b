/** Lets so many through at a time; the others wait in order. */
export class Turnstile {
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  /** `full`: what those get who find `maxWaiting` before them. */
  constructor(
    readonly maxInside: number,
    readonly maxWaiting = Number.POSITIVE_INFINITY,
    private readonly full = () => new Error('Too many wait'),
  ) {}

  /** Runs `work` in its turn. Throws the signal's reason when it is aborted while waiting. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.maxInside) await this.#wait(signal);
    else this.#inside += 1;
    try {
      return await work();
    } finally {
      // The place goes to the next one in the row, or is free.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inside -= 1;
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiting.length >= this.maxWaiting) throw this.full();
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', give);
        resolve();
      };
      const give = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', give, { once: true });
      this.#waiting.push(enter);
    });
  }
}
