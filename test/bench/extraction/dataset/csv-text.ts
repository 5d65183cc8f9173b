import { Readable } from 'node:stream';
import { eachRow, type Row } from './row';

const CHUNK_CHARACTERS = 256 * 1024;

/** What a server's bulk loader wants to see. */
export interface CsvDialect {
  readonly nullText: string;
  /** Stands before the hexadecimal digits of bytes. */
  readonly hexPrefix: string;
}

/** The rows as CSV without a header, for the bulk loaders of SQL servers. */
export function csvStream(rows: number, dialect: CsvDialect): Readable {
  return Readable.from(chunks(rows, dialect), { objectMode: false });
}

function* chunks(rows: number, dialect: CsvDialect): Generator<Buffer, void, undefined> {
  let text = '';
  for (const row of eachRow(rows)) {
    text += line(row, dialect);
    if (text.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

function line(row: Row, { nullText, hexPrefix }: CsvDialect): string {
  const active = row.active === null ? nullText : row.active ? '1' : '0';
  const note = row.note === null ? nullText : quoted(row.note);
  const attributes = quoted(JSON.stringify(row.attributes));
  const payload = row.payload === null ? nullText : hexPrefix + row.payload;
  const numbers = `${row.id},${row.account},${row.amount},${row.ratio},${active},${row.born},${row.seen}`;
  return `${numbers},${row.reference},${row.code},${note},${attributes},${payload}\n`;
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
