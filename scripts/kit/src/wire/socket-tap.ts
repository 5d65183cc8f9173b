import type { Duplex } from 'node:stream';

/** Received and not yet taken: above it the socket rests. */
const HIGH_WATER = 256 * 1024;

type DataListener = (chunk: Buffer) => void;

/**
 * Stands between a socket and the driver that reads from it: what arrives comes here first, and only what is handed on
 * reaches the driver. Rows can so go their own way, while login, TLS, errors and the end of a query stay the driver's
 * business.
 */
export class SocketTap {
  readonly #chunks: Buffer[] = [];
  #queued = 0;
  #stream: Duplex | null = null;
  #drivers: DataListener[] = [];
  #wake: (() => void) | null = null;
  #error: unknown = null;
  #closed = false;

  /** From now on the driver gets nothing by itself. */
  open(stream: Duplex): void {
    this.#stream = stream;
    this.#drivers = stream.listeners('data') as DataListener[];
    stream.on('data', this.#onData);
    for (const driver of this.#drivers) stream.off('data', driver);
  }

  /** True once the socket is the driver's again. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The error that was told, if any. */
  get error(): unknown {
    return this.#error;
  }

  /** What has arrived next; null once the tap is closed. Throws what `fail` was told, after all that came before. */
  async next(): Promise<Buffer | null> {
    while (this.#chunks.length === 0) {
      if (this.#error) throw this.#error;
      if (this.#closed) return null;
      this.#stream?.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const chunk = this.#chunks.shift()!;
    this.#queued -= chunk.length;
    return chunk;
  }

  toDriver(bytes: Buffer): void {
    for (const driver of this.#drivers) driver.call(this.#stream, bytes);
  }

  fail(error: unknown): void {
    this.#error ??= error;
    this.#wake?.();
  }

  /** Gives the socket back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const stream = this.#stream!;
    for (const driver of this.#drivers) stream.on('data', driver);
    stream.off('data', this.#onData);
    stream.resume();
    this.#wake?.();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued >= HIGH_WATER) this.#stream!.pause();
    this.#wake?.();
  };
}
