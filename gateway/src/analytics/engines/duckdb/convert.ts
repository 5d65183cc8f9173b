import { open, rm } from 'node:fs/promises';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Column, ManifestEntry } from '@ingesta/kit';
import { ApiError } from '../../../errors';
import { typesMetadata } from '../twin';
import { candidateTypes, FALLBACK_TYPE, twinColumns } from '../twin-columns';
import { duckDbError } from './duckdb-error';
import { interruptible } from './interruptible';
import { type CsvPieces, hasQuotedLineBreaks, PIECE_BYTES, RowTooLong, type StoredCsv, splitCsv } from './split-csv';
import { type CsvFile, copySql, headerSql, misfitsSql } from './twin-sql';

/** Rows of a row group: DuckDB's default and its least. A group is held in memory, so long rows get small ones. */
const ROW_GROUP = { most: 122_880, least: 2048, bytes: 32 * 1024 * 1024 };
/** What CSV text is thought to shrink to. */
const GZIP_RATIO = 10;

/** What DuckDB says of a file that it cannot read. */
const FILE_ERRORS = ['Invalid Input', 'Conversion', 'Out of Range', 'Not implemented'];

/** Empty lines, NULLs of a single column, that DuckDB takes for a part of the next row: as many as it reads at a time. */
const NULL_LINES = 2048;

/** The file holds another number of rows than its manifest says, as far as it was read right. */
class RowsMissing extends Error {}

/** Which table a file is of, for errors. */
export interface ConvertedTable {
  database: string;
  table: string;
  entry: ManifestEntry;
}

/**
 * Writes the Parquet file of a CSV. Streams in bounded memory. DuckDB reads the rows once where every column's values fit
 * its best type; where one does not, once more to find the types, and again. Every row arrives: counted against the manifest.
 * Throws `ApiError` `DATA_NOT_AVAILABLE` for a file that is not what the manifest says.
 */
export async function csvToParquet(
  instance: DuckDBInstance,
  { path, memoryMiB }: { path: string; memoryMiB: number },
  parquet: string,
  about: ConvertedTable,
): Promise<void> {
  if (about.entry.columns.length === 0) throw unusable(about, 'has no columns');
  const connection = await instance.connect();
  try {
    const csv = { path, isGzip: await isGzip(path) };
    // Where line breaks stand in quotes, DuckDB's threads guess where rows begin, and not every wrong guess is an error.
    // Most files have none there: while they are looked for, the conversion goes on.
    const guess = new AbortController();
    const giveUp = () => guess.abort();
    const scan = hasQuotedLineBreaks(csv);
    scan.then((found) => found && giveUp(), giveUp);
    const [breaks, whole] = await Promise.allSettled([
      scan,
      interruptible(connection, guess.signal, () => convertWhole(connection, csv, parquet, about)),
    ]);
    if (breaks.status === 'rejected') throw breaks.reason;
    if (breaks.value || (whole.status === 'rejected' && isHelpedByPieces(whole.reason)))
      await convertPieces(connection, csv, memoryMiB, parquet, about);
    else if (whole.status === 'rejected') throw whole.reason;
  } catch (error) {
    throw conversionError(error, about);
  } finally {
    connection.closeSync();
  }
}

/** By all threads, at twice the speed of pieces. Nothing is known of the rows but their mean. */
async function convertWhole(
  connection: DuckDBConnection,
  { path, isGzip }: StoredCsv,
  parquet: string,
  about: ConvertedTable,
): Promise<void> {
  const csv: CsvFile = { files: [path], gzip: isGzip, parallel: true, rowBytes: 0 };
  await convert(connection, csv, parquet, about, rowGroupOf(about.entry, isGzip));
}

/** Rows that are longer than DuckDB thinks, or longer than the mean, and whatever else its threads may make of a file. */
const isHelpedByPieces = (error: unknown): boolean =>
  error instanceof RowsMissing || isOutOfMemory(error) || FILE_ERRORS.includes(duckDbError(error).type);

const isOutOfMemory = (error: unknown): boolean => duckDbError(error).type === 'Out of Memory';

/**
 * Cut between rows, each piece is read by one thread, which guesses nothing. (Of a whole file, that thread would hold all
 * values with doubled quotes until its end.) Here the longest row is known, for which buffers are made, and where rows are
 * longer than elsewhere.
 */
async function convertPieces(
  connection: DuckDBConnection,
  csv: StoredCsv,
  memoryMiB: number,
  parquet: string,
  about: ConvertedTable,
): Promise<void> {
  const folder = `${csv.path}.pieces`;
  try {
    const maxRowBytes = Math.floor((memoryMiB / 8) * 1024 * 1024);
    const { pieces, longestRow } = await splitCsv(csv, folder, maxRowBytes);
    const files = pieces.map(({ file }) => file);
    const cut: CsvFile = { files, gzip: csv.isGzip, parallel: false, rowBytes: longestRow + NULL_LINES };
    const rowGroup = rowGroupOfPieces(pieces);
    await convert(connection, cut, parquet, about, rowGroup).catch((error) => {
      if (!isOutOfMemory(error)) throw error;
      // Each thread has buffers for the longest row. The whole file is read by one, which may hold less with them.
      return convert(connection, { ...cut, files: [csv.path] }, parquet, about, rowGroup);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function convert(
  connection: DuckDBConnection,
  csv: CsvFile,
  parquet: string,
  about: ConvertedTable,
  rowGroup: number,
): Promise<void> {
  const { columns, rows } = about.entry;
  await checkHeader(connection, csv, about);
  const copy = async (types?: readonly string[]) => {
    const sql = copySql(csv, twinColumns(columns, types), parquet, rowGroup);
    const [[count]] = (await (await connection.run(sql)).getRows()) as [[bigint]];
    return Number(count);
  };
  const copied = await copy().catch((error) => {
    // A value that no cast takes ends it at once; a value that one would change is missing in the count.
    if (!['Conversion', 'Out of Range'].includes(duckDbError(error).type)) throw error;
    return null;
  });
  if (copied === rows) return;
  const { total, types } = await fittingTypes(connection, csv, columns);
  const known = typesMetadata(about.entry, types) === null ? columns.map(() => FALLBACK_TYPE) : types;
  if (total !== rows) throw new RowsMissing(`has ${total} rows where its manifest says ${rows}`);
  const again = await copy(known);
  if (again !== rows) throw new RowsMissing(`keeps ${again} of ${rows} rows where they are given types`);
}

/** The first type of each column that all of its values fit. */
async function fittingTypes(connection: DuckDBConnection, csv: CsvFile, columns: readonly Column[]) {
  const [row] = await (await connection.run(misfitsSql(csv, columns))).getRows();
  const [total, ...misfits] = (row as bigint[]).map(Number);
  const types = columns.map((column) => {
    const candidates = candidateTypes(column);
    const counts = misfits.splice(0, candidates.length - 1);
    return candidates[[...counts, 0].indexOf(0)]!;
  });
  return { total: total!, types };
}

/** Columns are told by their place: the names must stand where the manifest has them. */
async function checkHeader(connection: DuckDBConnection, csv: CsvFile, about: ConvertedTable): Promise<void> {
  const { columns } = about.entry;
  const [names] = await (await connection.run(headerSql(csv, columns.length))).getRows();
  // An empty name stands there as a quoted one, as text does.
  if (names === undefined || columns.some(({ name }, index) => names[index] !== name))
    throw unusable(about, 'has other columns than its manifest says');
}

/** From the mean row. */
function rowGroupOf({ bytes, rows }: ManifestEntry, gzip: boolean): number {
  const rowBytes = Math.max(1, (bytes * (gzip ? GZIP_RATIO : 1)) / Math.max(1, rows));
  return rowGroup(ROW_GROUP.bytes / rowBytes);
}

/** The rows that fit where they are longest: of all pieces that come one after the other, but the last, which may be small. */
function rowGroupOfPieces(pieces: CsvPieces['pieces']): number {
  const many = ROW_GROUP.bytes / PIECE_BYTES;
  let fewest = ROW_GROUP.most;
  for (let end = many; end < pieces.length; end += 1) {
    const rows = pieces.slice(end - many, end).reduce((sum, piece) => sum + piece.rows, 0);
    fewest = Math.min(fewest, rows);
  }
  return rowGroup(fewest);
}

function rowGroup(rows: number): number {
  const whole = Math.floor(rows / ROW_GROUP.least) * ROW_GROUP.least;
  return Math.min(ROW_GROUP.most, Math.max(ROW_GROUP.least, whole));
}

/** By its first bytes: a key template may end in anything. No UTF-8 text begins so. */
async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

/** What is wrong with the file, where it is the file. */
function conversionError(error: unknown, about: ConvertedTable): unknown {
  if (error instanceof RowsMissing) return unusable(about, error.message);
  const { type, message } = duckDbError(error);
  const cause = type === '' ? error : new Error(`${type}: ${message.slice(0, 500)}`);
  const tooLong = 'has rows too long for the memory of the query engine';
  if (error instanceof RowTooLong)
    return unusable(about, tooLong, { cause, hint: 'Raise DUCKDB_MEMORY_MB: a row may take an eighth of it.' });
  if (isOutOfMemory(error))
    return unusable(about, tooLong, { cause, hint: 'Raise DUCKDB_MEMORY_MB, or lower DUCKDB_THREADS.' });
  const { code } = error as NodeJS.ErrnoException;
  const isOfFile = FILE_ERRORS.includes(type) || code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR';
  return isOfFile ? unusable(about, 'is no CSV as the contract has it', { cause }) : error;
}

const unusable = (
  { database, table, entry }: ConvertedTable,
  what: string,
  more: { cause?: unknown; hint?: string } = {},
) =>
  new ApiError('DATA_NOT_AVAILABLE', `${database}.${table} cannot be read: ${entry.key} ${what}`, {
    database,
    hint: `POST /api/ingesta/${database} exports it anew.`,
    ...more,
  });
