import { type Column, type CsvChunk, CsvWriter, type SourceContext, type TableSelection } from '@ingesta/kit';
import { readText } from './content';
import { CsvRows } from './csv-rows';
import { type Dialect, detectDialect } from './dialect';
import { FileProblem } from './file-problem';
import { JsonRows, JsonSurvey } from './json-lines';
import { LineReader } from './line-reader';
import type { Origin } from './origin';
import { RecordReader } from './record-reader';
import type { Format } from './settings';
import type { TableFile } from './table-files';

/** Enough to tell delimiter and header by. */
const SAMPLE_BYTES = 256 * 1024;
/** Longest first line. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

/** What a table is read from, and how. */
export interface Reading {
  origin: Origin;
  file: TableFile;
  format: Format;
  context: SourceContext;
}

/** A file's columns, and the way to its rows. */
export interface FileTable {
  columns: Column[];
  estimatedRows: number | null;
  /** Takes the file's text in pieces and writes rows; `end` after the last piece. */
  rows(writer: CsvWriter, selection: TableSelection): { push(chunk: Uint8Array): void; end(): void };
}

/** Looks into a file: a CSV's first lines, all of a JSON-lines file. Null where there is no table in it. */
export function examine(reading: Reading): Promise<FileTable | null> {
  return reading.file.kind === 'json-lines' ? examineJson(reading) : examineCsv(reading);
}

/** The rows of a file as CSV. */
export async function* readRows(
  { origin, file, format, context }: Reading,
  table: FileTable,
  selection: TableSelection,
): AsyncGenerator<CsvChunk, void, undefined> {
  const writer = new CsvWriter();
  writer.header(selection.columns.map((column) => column.name));
  const rows = table.rows(writer, selection);
  const warn = () =>
    context.warn(`Table ${file.name}: it is not UTF-8 and was read as windows-1252; FILES_ENCODING settles it`);
  for await (const chunk of readText(origin, file, format.encoding, context.signal, warn)) {
    rows.push(chunk);
    yield* writer.take();
  }
  rows.end();
  yield* writer.flush();
}

async function examineCsv({ origin, file, format, context }: Reading): Promise<FileTable | null> {
  const dialect = await firstLines((sample, complete) => detectDialect(sample, complete, format, file.kind === 'tsv'));
  if (dialect === null) return null;
  if (file.kind === 'txt' && !dialect.regular && format.delimiter === null) return null;
  if (dialect.maybeNames.length > 0) {
    context.warn(`Table ${file.name}: its first line looks like data, not like names; FILES_HEADER settles it`);
  }
  return {
    columns: dialect.columns.map(({ name }) => ({ name, source_type: 'text', logical_type: 'text', nullable: true })),
    estimatedRows: file.gzipped ? null : Math.round(file.file.bytes * dialect.rowsPerByte),
    rows: (writer, selection) => csvRows(writer, selection, dialect, format),
  };

  /** Asks with more and more of the file until there is an answer. */
  async function firstLines(ask: (sample: Uint8Array, complete: boolean) => Dialect | null): Promise<Dialect | null> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    let wanted = SAMPLE_BYTES;
    for await (const chunk of readText(origin, file, format.encoding, context.signal)) {
      pieces.push(Buffer.from(chunk));
      bytes += chunk.length;
      if (bytes < wanted) continue;
      const found = ask(Buffer.concat(pieces), false);
      if (found !== null) return found;
      if (bytes > MAX_HEADER_BYTES) {
        throw new FileProblem('line 1: it does not end within 16 MiB', 'Is a quote never closed, or is it no CSV?');
      }
      wanted *= 4;
    }
    return ask(Buffer.concat(pieces), true);
  }
}

function csvRows(writer: CsvWriter, selection: TableSelection, dialect: Dialect, format: Format): RecordReader {
  const selected = new Set(selection.columns.map((column) => column.name));
  for (const { name, original } of dialect.columns) {
    // `clave` is sensitive and `clave_2`, our name for a second one, is not.
    if (name !== original && original !== '' && selected.has(name) && selection.isSensitiveKey([original])) {
      throw new FileProblem(`a second column is called ${original}`, 'It must not leave: rename or remove the column.');
    }
  }
  // The column of that name would leave as `column_2`.
  const secret = dialect.maybeNames.find((text) => selection.isSensitiveKey([text]));
  if (secret !== undefined) {
    throw new FileProblem(
      `its first line looks like data, but ${secret} like the name of a column that must not leave`,
      'Set FILES_HEADER to yes if that line holds the names, or to no if it is data.',
    );
  }
  const taken = dialect.columns.map(({ name }) => selected.has(name));
  return new RecordReader(
    dialect.delimiter,
    new CsvRows(writer, { taken, hasHeader: dialect.hasHeader, nullText: format.nullText }),
  );
}

async function examineJson({ origin, file, format, context }: Reading): Promise<FileTable | null> {
  const survey = new JsonSurvey();
  const lines = new LineReader((line, number) => survey.line(line, number));
  for await (const chunk of readText(origin, file, format.encoding, context.signal)) lines.push(chunk);
  lines.end();
  const columns = survey.columns();
  if (columns.length === 0) return null;
  return {
    columns,
    estimatedRows: survey.rows,
    rows: (writer, selection) => {
      const rows = new JsonRows(writer, selection);
      return new LineReader((line, number) => rows.line(line, number));
    },
  };
}
