import type { Request } from 'express';
import { ipKeyGenerator, MemoryStore } from 'express-rate-limit';
import { ApiError } from '../errors';

const WINDOW_MS = 60_000;

/** Counts failed authentications by address, so that nobody can try keys for long. */
export class FailedAttempts {
  readonly #store = new MemoryStore();

  constructor(private readonly most: number) {
    this.#store.init({ windowMs: WINDOW_MS } as Parameters<MemoryStore['init']>[0]);
  }

  /** Throws `RATE_LIMITED` for an address that failed too often: right credentials do not count then either. */
  async check(request: Request): Promise<void> {
    const seen = await this.#store.get(addressOf(request));
    if (seen === undefined || seen.totalHits < this.most) return;
    const seconds = Math.max(1, Math.ceil(((seen.resetTime?.getTime() ?? 0) - Date.now()) / 1000));
    throw new ApiError('RATE_LIMITED', 'Too many failed authentications from this address', {
      headers: { 'Retry-After': String(seconds) },
    });
  }

  async note(request: Request): Promise<void> {
    await this.#store.increment(addressOf(request));
  }
}

/** One caller's address; of IPv6 the network, of which a caller has very many addresses. */
export const addressOf = ({ ip }: Request): string => (ip === undefined ? 'unknown' : ipKeyGenerator(ip));
