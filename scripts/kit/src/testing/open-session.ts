import type { ListedTable, Source, SourceEnv, SourceSession, SourceTable, TableSelection } from '../source';
import { parseCsv } from './parse-csv';
import { testContext } from './test-context';

/** A session with what it told. */
export interface Opened {
  readonly session: SourceSession;
  readonly tables: SourceTable[];
  readonly warnings: string[];
  readonly env: SourceEnv;
  readonly abort: AbortController;
  /** Everything of one table, or only some columns. */
  select(table: string, columns?: string[], isSensitiveKey?: TableSelection['isSensitiveKey']): TableSelection;
  csv(selection: TableSelection): Promise<string>;
  /** Parsed, without the header. */
  readAll(selection: TableSelection): Promise<(string | null)[][]>;
  /** The same of all of one table. */
  rows(table: string): Promise<(string | null)[][]>;
}

/** Opens a session of a source and has it describe what it lists, or those of it that are wanted. */
export async function openSession(
  source: Source,
  env: SourceEnv,
  isWanted: (table: ListedTable) => boolean = () => true,
): Promise<Opened> {
  const context = testContext();
  const session = await source.connect(env, context);
  const wanted = (await session.list()).filter(isWanted);
  const tables = await session.describe(wanted.map(({ name }) => name));
  const select: Opened['select'] = (name, names, isSensitiveKey = () => false) => {
    const table = tables.find((known) => known.name === name);
    if (!table) throw new Error(`No table ${name}`);
    const columns = table.columns.filter((column) => !names || names.includes(column.name));
    return { table, columns, isSensitiveKey };
  };
  const csv: Opened['csv'] = async (selection) => {
    session.check?.(selection);
    const chunks: Buffer[] = [];
    for await (const chunk of session.read(selection)) chunks.push(chunk.data);
    return Buffer.concat(chunks).toString('utf8');
  };
  const readAll: Opened['readAll'] = async (selection) => parseCsv(await csv(selection)).slice(1);
  const rows: Opened['rows'] = (name) => readAll(select(name));
  const { warnings, controller: abort } = context;
  return { session, tables, warnings, env, abort, select, csv, readAll, rows };
}
