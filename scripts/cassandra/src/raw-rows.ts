import { type Frame, type FramePart, type FrameReader, Parser } from 'cassandra-driver/lib/streams';
import { isServerKeyspace } from './server-keyspaces';

/** Of an answer of several rows. Nodes count rows, not bytes: after many small ones a page may be of large ones. */
const MAX_BYTES = 16 * 1024 * 1024;

/** The rows of one page as they came over the wire: per cell its length in four bytes (-1: null), then its bytes. */
export class RawRows {
  constructor(
    /** What the socket gave: other answers may follow. */
    readonly bytes: Buffer,
    /** Where the first row starts. */
    readonly offset: number,
    /** The driver takes it for an array of rows. */
    readonly length: number,
    /** Cells per row. */
    readonly columns: number,
  ) {}
}

/** The `encoding` option of a client whose rows stay raw in its results; those of the server's own keyspaces do not. */
export const RAW_ROWS: object = { rawRows: true };

/**
 * The driver decodes every cell into an object and hands rows through its streams one by one, which costs more than
 * all the rest. It has no option for it, so the step from a frame's body to its rows is replaced, for the clients that
 * ask for it only; framing, paging, retries, TLS stay the driver's.
 */
const decodeRows = Parser.prototype.parseRows;
Parser.prototype.parseRows = function parseRows(this: Parser, frame: Frame, reader: FrameReader): void {
  const keyspace = frame.meta.keyspace ?? frame.meta.columns[0]?.ksname;
  const isRaw = this.encoder.encodingOptions.rawRows === true && !isServerKeyspace(keyspace ?? 'system');
  if (!isRaw || frame.isStreaming) {
    decodeRows.call(this, frame, reader);
    return;
  }
  const length = reader.readInt();
  const rows = new RawRows(reader.buf, reader.offset, length, frame.meta.columns.length);
  reader.toEnd();
  this.push({ header: frame.header, result: { rows, meta: frame.meta, flags: frame.flagsInfo } });
};

/** An answer that was thrown away while it came: fewer rows are to be asked for. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
  constructor(readonly bytes: number) {
    super(`an answer of ${bytes} bytes was not taken`);
  }
}

/** Single rows on their way. */
let singles = 0;

/** Takes what `fetch` asks for whatever its size: a row cannot be had in less. */
export async function ofAnySize<T>(fetch: () => Promise<T>): Promise<T> {
  singles++;
  try {
    return await fetch();
  } finally {
    singles--;
  }
}

/** Collects the parts of a frame's body; false until it is whole. */
const collect = Parser.prototype.handleFrameBuffers;
Parser.prototype.handleFrameBuffers = function handleFrameBuffers(
  this: Parser,
  frame: Frame,
  part: FramePart,
): boolean {
  if (frame.isRefused === undefined) {
    const { bodyLength } = part.header;
    frame.isRefused = bodyLength > MAX_BYTES && singles === 0 && this.encoder.encodingOptions.rawRows === true;
    if (frame.isRefused) this.push({ header: frame.header, error: new AnswerTooLarge(bodyLength) });
  }
  return !frame.isRefused && collect.call(this, frame, part);
};
