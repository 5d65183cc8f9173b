import { setTimeout as pause } from 'node:timers/promises';
import { GatewayError, Unreachable } from './errors';

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

export interface Time {
  now: () => number;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const systemTime: Time = {
  now: () => performance.now(),
  sleep: (ms, signal) => pause(ms, undefined, { signal }),
};

/**
 * How long troubles are waited out: from the first on, until `limitMs` have gone by without anything better. Pauses grow
 * from one second to thirty, with jitter, unless the gateway says how long.
 */
export class Patience {
  #since: number | null = null;
  #pauseMs = FIRST_MS;

  constructor(
    private readonly limitMs: number,
    private readonly signal: AbortSignal,
    private readonly onTrouble: (message: string, waitMs: number) => void,
    private readonly time: Time = systemTime,
  ) {}

  /** Something went well: the next trouble is a new one. Gives whether there was any. */
  relieve(): boolean {
    const troubled = this.#since !== null;
    this.#since = null;
    this.#pauseMs = FIRST_MS;
    return troubled;
  }

  /** Waits before the next try; throws `error` where waiting will not help, or has been long enough. */
  async endure(error: unknown): Promise<void> {
    this.signal.throwIfAborted();
    const waitMs = this.#waitFor(error);
    const now = this.time.now();
    this.#since ??= now;
    if (waitMs === null || now - this.#since + waitMs > this.limitMs) throw error;
    this.onTrouble((error as Error).message, waitMs);
    try {
      await this.time.sleep(waitMs, this.signal);
    } catch (error) {
      // Why it was interrupted says more than that it was.
      this.signal.throwIfAborted();
      throw error;
    }
  }

  #waitFor(error: unknown): number | null {
    if (error instanceof Unreachable) return error.isTemporary ? this.#backOff() : null;
    if (error instanceof GatewayError && error.status === 429) return error.retryAfterMs ?? this.#backOff();
    return null;
  }

  #backOff(): number {
    const ms = this.#pauseMs * (0.5 + Math.random() / 2);
    this.#pauseMs = Math.min(LONGEST_MS, this.#pauseMs * 2);
    return ms;
  }

  /** Does `work` until it goes well. */
  async through<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const done = await work();
        this.relieve();
        return done;
      } catch (error) {
        await this.endure(error);
      }
    }
  }
}
