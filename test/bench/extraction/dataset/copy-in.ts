import type { Readable } from 'node:stream';
import type { Client, Connection, Submittable } from 'pg';

/** What `pg` offers for COPY … FROM STDIN; its types leave it out. */
type CopyConnection = Connection & {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
  stream: NodeJS.WritableStream & { writableNeedDrain?: boolean };
};

/** Sends the stream to a `COPY … FROM STDIN`. */
export function copyIn(client: Client, statement: string, source: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const copy = {
      submit: (connection: CopyConnection) => connection.query(statement),
      handleCopyInResponse: (connection: CopyConnection) => {
        send(connection, source).catch((error: Error) => connection.sendCopyFail(error.message));
      },
      handleCommandComplete: () => undefined,
      handleError: (error: Error) => {
        failure = error;
        source.destroy();
      },
      handleReadyForQuery: () => (failure ? reject(failure) : resolve()),
    };
    client.query(copy as unknown as Submittable);
  });
}

async function send(connection: CopyConnection, source: Readable): Promise<void> {
  for await (const chunk of source) {
    connection.sendCopyFromChunk(chunk as Buffer);
    if (connection.stream.writableNeedDrain) {
      await new Promise((resolve) => connection.stream.once('drain', resolve));
    }
  }
  connection.endCopyFrom();
}
