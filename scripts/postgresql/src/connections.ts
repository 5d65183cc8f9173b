import { type SourceContext, unavailable } from '@ingesta/kit';
import type { Client } from 'pg';
import { disconnect } from './connect';
import { RELEASE_LOCKS } from './snapshot';

/** How long a polite goodbye may take, in milliseconds. */
const CLOSE_TIMEOUT = 2_000;

/**
 * The connections of one session, all in transactions over the same snapshot. The first is there from the beginning;
 * the others are opened when they are wanted, at most `max` in all. Where the server takes no more, those there are do.
 */
export class Connections {
  readonly #all: Set<Client>;
  readonly #idle: Client[];
  #opening = 0;
  #max: number;
  #refused = false;
  #ended = false;
  #waiting: (() => void)[] = [];

  constructor(
    first: Client,
    max: number,
    /** Opens a connection and joins it to the snapshot. */
    readonly open: () => Promise<Client>,
    readonly context: SourceContext,
  ) {
    this.#all = new Set([first]);
    this.#idle = [first];
    this.#max = max;
  }

  /** A connection of the caller's own, until it is released. */
  async acquire(): Promise<Client> {
    for (;;) {
      const client = await this.acquireIfFree();
      if (client) return client;
      if (this.#idle.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The same, or null where every connection is taken. */
  async acquireIfFree(): Promise<Client | null> {
    this.context.signal.throwIfAborted();
    if (this.#ended) throw unavailable('The connection was lost before', 'Run again once it is back.');
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#all.size + this.#opening >= this.#max) return null;
    this.#opening++;
    try {
      const client = await this.open();
      if (this.#ended) disconnect(client);
      else this.#all.add(client);
      return client;
    } catch (error) {
      this.context.signal.throwIfAborted();
      // Others may be on their way still, and fail alike: one warning is enough.
      if (!this.#refused) this.context.warn(`Fewer connections than the settings allow: ${(error as Error).message}`);
      this.#refused = true;
      this.#max = Math.min(this.#max, this.#all.size + this.#opening - 1);
      return null;
    } finally {
      this.#opening--;
      this.#wake();
    }
  }

  /** Hands a connection back, which holds no table's lock afterwards. */
  async release(client: Client): Promise<void> {
    try {
      await client.query(RELEASE_LOCKS);
    } catch (error) {
      this.destroy();
      throw error;
    }
    this.#idle.push(client);
    this.#wake();
  }

  /** Gives one of several connections up, whatever state it is in. */
  drop(client: Client): void {
    disconnect(client);
    this.#all.delete(client);
    this.#max = Math.max(1, this.#max - 1);
    this.#wake();
  }

  /** Frees every backend at once. */
  destroy(): void {
    this.#ended = true;
    for (const client of this.#all) disconnect(client);
    this.#wake();
  }

  /** Says goodbye. Safe after a failure, safe twice. */
  async close(): Promise<void> {
    this.#ended = true;
    const timer = setTimeout(() => this.destroy(), CLOSE_TIMEOUT);
    try {
      await Promise.all([...this.#all].map((client) => client.end()));
    } finally {
      clearTimeout(timer);
      this.#wake();
    }
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
