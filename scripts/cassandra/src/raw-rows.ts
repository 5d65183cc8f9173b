import { type Frame, type FrameReader, Parser } from 'cassandra-driver/lib/streams';
import { isServerKeyspace } from './server-keyspaces';

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
