import type { Duplex } from 'node:stream';
import type { Connection, Submittable } from 'pg';
import { type FrameTarget, MessageFrames } from './message-frames';

/** Received and not yet written as CSV: above it the socket rests. */
const HIGH_WATER = 256 * 1024;

type DataListener = (chunk: Buffer) => void;

/**
 * One SELECT whose DataRows never reach the driver: a filter in front of the driver's parser takes them out and hands
 * every other message on, so that login, TLS, errors, notices and the end of the query stay the driver's business.
 * Runs through `client.query`, which calls `submit` and the `handle…` methods.
 */
export class RowStream implements Submittable {
  readonly #frames: MessageFrames;
  readonly #chunks: Buffer[] = [];
  #queued = 0;
  #stream: Duplex | null = null;
  #parsers: DataListener[] = [];
  #wake: (() => void) | null = null;
  #error: unknown = null;
  #reported: number | null = null;
  #done = false;

  constructor(
    readonly sql: string,
    target: Pick<FrameTarget, 'row' | 'many'>,
  ) {
    this.#frames = new MessageFrames({
      row: (bytes, start, end) => target.row(bytes, start, end),
      many: (bytes, start, end) => target.many(bytes, start, end),
      other: (frame) => this.#toDriver(frame),
    });
  }

  /** True once the server said that the query is over; only then may the connection be used again. */
  get done(): boolean {
    return this.#done;
  }

  /** Number of rows by the server's count, once done. */
  get reportedRows(): number | null {
    return this.#reported;
  }

  /**
   * Takes in what has arrived, at least something, and hands on the rows in it. False: the query is over.
   * Throws the server's error, or the connection's.
   */
  async advance(): Promise<boolean> {
    // What came before the connection broke counts first: it may say why.
    while (this.#chunks.length === 0) {
      if (this.#done) return false;
      if (this.#error) throw this.#error;
      this.#stream?.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const chunk = this.#chunks.shift()!;
    this.#queued -= chunk.length;
    this.#frames.push(chunk);
    if (this.#error) throw this.#error;
    return !this.#done;
  }

  submit(connection: Connection): void {
    const stream = connection.stream;
    this.#stream = stream;
    this.#parsers = stream.listeners('data') as DataListener[];
    stream.on('data', this.#onData);
    for (const parser of this.#parsers) stream.off('data', parser);
    connection.query(this.sql);
  }

  handleRowDescription(): void {}

  handleCommandComplete(message: { text: string }): void {
    const match = /^SELECT (\d+)$/.exec(message.text);
    this.#reported = match && Number(match[1]);
  }

  handleError(error: unknown): void {
    this.#error = error;
    this.#wake?.();
  }

  handleReadyForQuery(): void {
    const stream = this.#stream!;
    for (const parser of this.#parsers) stream.on('data', parser);
    stream.off('data', this.#onData);
    stream.resume();
    this.#done = true;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued >= HIGH_WATER) this.#stream!.pause();
    this.#wake?.();
  };

  #toDriver(frame: Buffer): void {
    for (const parser of this.#parsers) parser.call(this.#stream, frame);
  }
}
