import type { CsvChunk } from '@ingesta/kit';
import { Connection } from 'mysql2';
import { connectionClosed, disconnect, socketOf } from './connect';
import type { RowEncoder } from './row-encoder';

/** Chunks kept for a consumer that is slower than the server; the rest waits in the server. */
const MAX_PENDING_CHUNKS = 4;

/** A packet as the driver hands it over: valid until the handler returns. */
interface Packet {
  buffer: Uint8Array;
  offset: number;
  end: number;
  isEOF(): boolean;
}

/**
 * The driver's query command, of which its types show nothing. After the column definitions it hands every packet to
 * `row` and goes on with the handler that `row` returns. `onResult` gets the end, an error packet, and the loss of the
 * connection alike.
 */
interface QueryCommand {
  row(packet: Packet): unknown;
  done(): null;
  onResult: (error: Error | null) => void;
}

/**
 * Runs `sql` and yields its rows as `encoder` writes them. The command goes through the driver's own queue, so TLS,
 * compression and rows over 16 MB work as in any query. Ends normally only after the server's end-of-rows packet;
 * otherwise throws what the driver told. Leaving early closes the connection.
 */
export async function* streamRows(
  connection: Connection,
  sql: string,
  encoder: RowEncoder,
): AsyncGenerator<CsvChunk, void, undefined> {
  const { writer } = encoder;
  const pending: CsvChunk[] = [];
  let unseenBytes = 0;
  let failure: Error | null = null;
  let ended = false;
  let wake = () => {};

  const settle = (error: Error | null) => {
    failure ??= error;
    ended = true;
    wake();
  };
  const command = queryCommand(connection, sql);
  command.onResult = settle;
  command.row = (packet) => {
    if (packet.isEOF()) return command.done();
    encoder.row(packet.buffer, packet.offset, packet.end);
    unseenBytes += packet.end - packet.offset;
    if (unseenBytes >= writer.chunkBytes) {
      unseenBytes = 0;
      pending.push(...writer.take());
      // The socket, not the connection: the rows that have already arrived go on into the writer without being copied.
      if (pending.length >= MAX_PENDING_CHUNKS) socketOf(connection).pause();
      wake();
    }
    return command.row;
  };

  // A breach of the protocol is told to the connection only.
  connection.on('error', settle);
  try {
    if (socketOf(connection).destroyed) throw connectionClosed();
    addCommand(connection, command);
    for (;;) {
      if (failure) throw failure;
      const chunk = pending.shift();
      if (chunk) yield chunk;
      else if (ended) break;
      else {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        socketOf(connection).resume();
        await woken;
      }
    }
    encoder.flush();
    yield* writer.flush();
  } finally {
    connection.removeListener('error', settle);
    if (!ended) disconnect(connection);
  }
}

/** The driver's static method takes the connection's settings as a fourth argument. */
const queryCommand = (connection: Connection, sql: string): QueryCommand =>
  (
    Connection.createQuery as unknown as (
      sql: string,
      values: unknown[],
      onResult: () => void,
      config: unknown,
    ) => QueryCommand
  )(sql, [], () => {}, connection.config);

const addCommand = (connection: Connection, command: QueryCommand): void =>
  (connection as unknown as { addCommand(command: QueryCommand): void }).addCommand(command);
