import type { DuckDBInstance } from '@duckdb/node-api';
import { untilAborted } from '../../../until-aborted';
import type { ResultLimits } from '../answer-budget';
import { boundColumns } from '../bound-columns';
import type { QueryTable, ResultSet, Statement } from '../engine';
import { misfitsSql, throwIfUnfit } from '../misfits';
import { quoteText, type TableText } from '../with-tables';
import { duckDbError } from './duckdb-error';
import type { HeldFile } from './file-cache';
import { withInstants } from './instants';
import { parquetColumns } from './parquet-columns';
import { runStatements } from './run-statements';
import type { TableFiles } from './table-files';

/** Runs statements over exactly the given entries. Throws like `Engine.query`. */
export async function queryTables(
  { files, instance, limits }: { files: TableFiles; instance: DuckDBInstance; limits: ResultLimits },
  tables: readonly QueryTable[],
  statements: readonly Statement[],
  signal: AbortSignal,
): Promise<ResultSet[]> {
  const columns = tables.map(boundColumns);
  for (let attempt = 1; ; attempt += 1) {
    const { texts, paths, release } = await holdAll(files, tables, columns, signal);
    try {
      const types = await Promise.all(paths.map((path) => parquetColumns(instance, path)));
      const read = texts.map((text, index) => withInstants(text, types[index]!));
      return await runStatements(instance, read, statements, limits, signal);
    } catch (error) {
      // Another process that shares the cache may have made room while this query began.
      if (duckDbError(error).type === 'IO' && attempt < 3) continue;
      if (isMisfit(error)) await checkFit(instance, tables, texts);
      throw error;
    } finally {
      release();
    }
  }
}

/** The tables' files, none of which is removed until the release. The loads go on when the signal ends the wait. */
async function holdAll(
  files: TableFiles,
  tables: readonly QueryTable[],
  columns: readonly TableText['columns'][],
  signal: AbortSignal,
): Promise<{ texts: TableText[]; paths: string[]; release: () => void }> {
  const holds = tables.map((table) => files.hold(table));
  const release = () => {
    for (const hold of holds) hold.then((file: HeldFile) => file.release()).catch(() => undefined);
  };
  try {
    const held = await untilAborted(Promise.all(holds), signal);
    const texts = tables.map(({ name }, index) => ({
      name,
      columns: columns[index]!,
      from: `read_parquet(${quoteText(held[index]!.path)})`,
    }));
    return { texts, paths: held.map(({ path }) => path), release };
  } catch (error) {
    release();
    throw error;
  }
}

const isMisfit = (error: unknown): boolean => ['Conversion', 'Out of Range'].includes(duckDbError(error).type);

/** Names the columns with values that are not of the declared type. */
async function checkFit(
  instance: DuckDBInstance,
  tables: readonly QueryTable[],
  texts: readonly TableText[],
): Promise<void> {
  const connection = await instance.connect();
  try {
    for (const [index, text] of texts.entries()) {
      const [counts] = await (await connection.run(misfitsSql(text))).getRows();
      throwIfUnfit(tables[index]!, text.columns, counts!);
    }
  } finally {
    connection.closeSync();
  }
}
