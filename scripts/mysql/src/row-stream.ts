import { type CsvChunk, type CsvWriter, Frames, failed, type RowTarget, SocketTap } from '@ingesta/kit';
import type { Connection } from 'mysql2';
import { connectionClosed, disconnect, prepare, socketOf, unprepare } from './connect';
import type { WireColumn } from './wire-columns';

/** A length of three bytes, and a number. */
const HEADER = 4;
/** A payload of this length goes on in the next packet. */
const MAX_PAYLOAD = 0xffffff;
/** The first byte of a row of the binary protocol. */
const ROW = 0;

/**
 * Runs a SELECT as a prepared statement, because binary rows cost the server half the work of printed ones, and yields
 * the CSV that they become. `targetOf` learns the columns before the first row. Rows never reach the driver, which gets
 * every other packet. Ends normally only after the server's end-of-rows packet; otherwise throws what the driver told.
 * Leaving early closes the connection.
 */
export async function* streamRows(
  connection: Connection,
  sql: string,
  writer: CsvWriter,
  targetOf: (columns: readonly WireColumn[]) => RowTarget,
): AsyncGenerator<CsvChunk, void, undefined> {
  if (socketOf(connection).destroyed) throw connectionClosed();
  const statement = await prepare(connection, sql);
  const tap = new SocketTap();
  const fail = (error: unknown) => tap.fail(error);
  let target: RowTarget | undefined;
  const frames = packets(
    () => target,
    (packet) => {
      // The driver counts packets, and has not seen the rows.
      (connection as unknown as { sequenceId: number }).sequenceId = packet[3]!;
      tap.toDriver(packet);
    },
  );
  // A breach of the protocol is told to the connection only.
  connection.on('error', fail);
  tap.open(socketOf(connection));
  try {
    const command = statement.execute([], (error) => {
      if (error) tap.fail(error);
      tap.close();
    });
    command.once('fields', (columns) => {
      target = targetOf(columns as unknown as WireColumn[]);
    });
    for (let chunk = await tap.next(); chunk; chunk = await tap.next()) {
      frames.push(chunk);
      yield* writer.take();
    }
    yield* writer.flush();
  } finally {
    connection.removeListener('error', fail);
    if (tap.closed) unprepare(connection, sql);
    else disconnect(connection);
  }
}

/** Rows go to the target, other packets to the driver. */
function packets(target: () => RowTarget | undefined, toDriver: (packet: Buffer) => void): Frames {
  /** Payloads of a row that goes on in the next packet. */
  const parts: Buffer[] = [];
  const row = (payload: Buffer) => {
    const to = target();
    if (!to)
      throw failed('The server sent rows before it told their columns', 'Is something between us and the server?');
    to.row(payload, 0, payload.length);
  };
  return new Frames({
    headerBytes: HEADER,
    frameLength: (bytes, offset) => HEADER + bytes.readUIntLE(offset, 3),
    many: (bytes, start, end) => (parts.length === 0 && target()?.many(bytes, start, end)) || 0,
    frame: (bytes, start, end) => {
      const payload = bytes.subarray(start + HEADER, end);
      const isPart = payload.length === MAX_PAYLOAD;
      if (isPart || parts.length > 0) parts.push(payload);
      if (isPart) return;
      if (parts.length > 0) row(Buffer.concat(parts.splice(0)));
      else if (payload[0] === ROW) row(payload);
      else toDriver(bytes.subarray(start, end));
    },
  });
}
