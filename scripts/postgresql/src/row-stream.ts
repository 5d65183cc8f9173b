import { Frames, failed, type RowTarget, SocketTap } from '@ingesta/kit';
import type { Connection, Submittable } from 'pg';

/** Type byte and a length that counts itself but not the type. */
const HEADER = 5;
/** The server cannot build a longer message. */
const MAX_FRAME = 2 ** 30;
const DATA_ROW = 0x44;

/**
 * One SELECT whose DataRows never reach the driver, which gets every other message. Runs through `client.query`, which
 * calls `submit` and the `handle…` methods.
 */
export class RowStream implements Submittable {
  readonly #tap = new SocketTap();
  readonly #frames: Frames;
  #reported: number | null = null;

  constructor(
    readonly sql: string,
    target: RowTarget,
  ) {
    this.#frames = new Frames({
      headerBytes: HEADER,
      frameLength: messageLength,
      many: (bytes, start, end) => (bytes[start] === DATA_ROW ? target.many(bytes, start, end) : 0),
      frame: (bytes, start, end) => {
        if (bytes[start] === DATA_ROW) target.row(bytes, start + HEADER, end);
        else this.#tap.toDriver(bytes.subarray(start, end));
      },
    });
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
    const chunk = await this.#tap.next();
    if (!chunk) return false;
    this.#frames.push(chunk);
    if (this.#tap.error) throw this.#tap.error;
    return !this.#tap.closed;
  }

  submit(connection: Connection): void {
    this.#tap.open(connection.stream);
    connection.query(this.sql);
  }

  handleRowDescription(): void {}

  handleCommandComplete(message: { text: string }): void {
    const match = /^SELECT (\d+)$/.exec(message.text);
    this.#reported = match && Number(match[1]);
  }

  handleError(error: unknown): void {
    this.#tap.fail(error);
  }

  handleReadyForQuery(): void {
    this.#tap.close();
  }
}

function messageLength(bytes: Buffer, offset: number): number {
  const length = bytes.readUInt32BE(offset + 1);
  if (length < 4 || length > MAX_FRAME) {
    throw failed(
      'The server sent something that is not a PostgreSQL message',
      'Is something between us and the server?',
    );
  }
  return length + 1;
}
