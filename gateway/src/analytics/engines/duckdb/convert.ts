import { open } from 'node:fs/promises';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Column, ManifestEntry } from '@ingesta/kit';
import { ApiError } from '../../../errors';
import { typesMetadata } from '../twin';
import { candidateTypes, FALLBACK_TYPE, twinColumns } from '../twin-columns';
import { duckDbError } from './duckdb-error';
import { type CsvFile, copySql, headerSql, misfitsSql } from './twin-sql';

/** Rows of a row group: DuckDB's default and its least. A group is held in memory, so long rows get small ones. */
const ROW_GROUP = { most: 122_880, least: 2048, bytes: 32 * 1024 * 1024 };
/** What CSV text is thought to shrink to. */
const GZIP_RATIO = 10;

/** Which table a file is of, for errors. */
export interface ConvertedTable {
  database: string;
  table: string;
  entry: ManifestEntry;
}

/**
 * Writes the Parquet file of a CSV whose digest was found right. Streams in bounded memory. The file is read once where
 * every column's values fit its best type; where one does not, once more to find the types, and again. Every row arrives:
 * counted against the manifest. Throws `ApiError` `DATA_NOT_AVAILABLE` for a file that is not what the manifest says.
 */
export async function csvToParquet(
  instance: DuckDBInstance,
  { path, memoryMiB }: { path: string; memoryMiB: number },
  parquet: string,
  about: ConvertedTable,
): Promise<void> {
  if (about.entry.columns.length === 0) throw unusable(about, 'has no columns');
  const csv: CsvFile = { path, gzip: await isGzip(path), parallel: true, maxRowBytes: null };
  // Such buffers are dear, so only rows that ask for them get them.
  const maxRowBytes = Math.floor((memoryMiB / 8) * 1024 * 1024);
  const connection = await instance.connect();
  try {
    // DuckDB's threads guess where rows begin amid quoted line breaks. A wrong guess is an error, never a wrong row.
    await convert(connection, csv, parquet, about)
      .catch(
        onInvalid(
          (error) => !isRowTooLong(error),
          () => convert(connection, { ...csv, parallel: false }, parquet, about),
        ),
      )
      .catch(
        onInvalid(isRowTooLong, () => convert(connection, { ...csv, parallel: false, maxRowBytes }, parquet, about)),
      );
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const { type, message } = duckDbError(error);
    const limit = isRowTooLong(error) || type === 'Out of Memory';
    const hint = limit ? 'Raise DUCKDB_MEMORY_MB.' : undefined;
    const words = limit ? 'has rows too long for the memory of the query engine' : 'is no CSV as the contract has it';
    throw unusable(about, words, { cause: new Error(`${type}: ${message.slice(0, 500)}`), ...(hint && { hint }) });
  } finally {
    connection.closeSync();
  }
}

/** A handler which does something else about the errors of the CSV reader that `matches` picks. */
const onInvalid = (matches: (error: unknown) => boolean, instead: () => Promise<void>) => (error: unknown) => {
  if (duckDbError(error).type !== 'Invalid Input' || !matches(error)) throw error;
  return instead();
};

async function convert(connection: DuckDBConnection, csv: CsvFile, parquet: string, about: ConvertedTable) {
  const { columns, rows } = about.entry;
  await checkHeader(connection, csv, about);
  const rowGroup = rowGroupOf(about.entry, csv.gzip);
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
  if (total !== rows) throw unusable(about, `has ${total} rows where its manifest says ${rows}`);
  const again = await copy(known);
  if (again !== rows) throw new Error(`${again} of ${rows} rows were converted`);
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

function rowGroupOf({ bytes, rows }: ManifestEntry, gzip: boolean): number {
  const rowBytes = Math.max(1, (bytes * (gzip ? GZIP_RATIO : 1)) / Math.max(1, rows));
  const fitting = Math.floor(ROW_GROUP.bytes / rowBytes / ROW_GROUP.least) * ROW_GROUP.least;
  return Math.min(ROW_GROUP.most, Math.max(ROW_GROUP.least, fitting));
}

const isRowTooLong = (error: unknown): boolean => /maximum line size/i.test(duckDbError(error).message);

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

const unusable = (
  { database, table, entry }: ConvertedTable,
  what: string,
  more: { cause?: Error; hint?: string } = {},
) =>
  new ApiError('DATA_NOT_AVAILABLE', `${database}.${table} cannot be read: ${entry.key} ${what}`, {
    database,
    hint: `POST /api/ingesta/${database} exports it anew.`,
    ...more,
  });
