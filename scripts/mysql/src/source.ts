import {
  type Consistency,
  type CsvChunk,
  CsvWriter,
  type Dataset,
  type ListedTable,
  type Source,
  type SourceContext,
  type SourceSession,
  type SourceTable,
  type TableSelection,
} from '@ingesta/kit';
import type { Connection } from 'mysql2';
import { connect, disconnect, goodbye, query } from './connect';
import { describeDataset } from './describe-dataset';
import { allInSnapshot, describeTables, type MysqlTable } from './describe-tables';
import { Lineages } from './lineage';
import { type Located, listTables } from './list-tables';
import { RowEncoder } from './row-encoder';
import { streamRows } from './row-stream';
import { selectFrom } from './select';
import { connectError, queryError } from './server-error';
import { parseSettings } from './settings';
import { openSnapshot } from './snapshot';

/** MySQL 5.7 and later, MariaDB 10.3 and later. */
export const mysql: Source = {
  async connect(env, context) {
    const settings = parseSettings(env);
    const connection = await connect(settings, context.signal);
    try {
      const takenAt = await openSnapshot(connection);
      // As the server spells it: with lower_case_table_names a setting may say it otherwise.
      const [{ database }] = (await query<{ database: string }>(connection, 'SELECT DATABASE() AS `database`')) as [
        { database: string },
      ];
      return new MysqlSession(connection, database, takenAt, context);
    } catch (error) {
      disconnect(connection);
      context.signal.throwIfAborted();
      throw connectError(error, `${settings.host}:${settings.port}`);
    }
  },
};

class MysqlSession implements SourceSession {
  readonly parallelReads = 1;
  readonly #listed = new Map<string, Located>();
  readonly #found = new Map<string, MysqlTable>();
  readonly #read = new Set<string>();
  readonly #lineages: Lineages;
  #closing: Promise<void> | null = null;

  constructor(
    readonly connection: Connection,
    readonly database: string,
    readonly takenAt: Date,
    readonly context: SourceContext,
  ) {
    this.#lineages = new Lineages(connection, database, (message) => context.warn(message));
  }

  /** Of the tables read so far, or of all while none was: MyISAM, Aria and the like show the moment of their own read. */
  get consistency(): Consistency {
    const tables = [...this.#found.values()].filter(({ name }) => this.#read.size === 0 || this.#read.has(name));
    return tables.every(({ inSnapshot }) => inSnapshot) ? 'snapshot' : 'per_table';
  }

  async list(): Promise<ListedTable[]> {
    try {
      for (const table of await listTables(this.connection, this.database)) this.#listed.set(table.name, table);
    } catch (error) {
      throw this.#explain(error, `Database ${this.database}`);
    }
    return [...this.#listed.values()];
  }

  async describe(names: readonly string[]): Promise<SourceTable[]> {
    const located = names.map((name) => this.#listed.get(name)!);
    try {
      const tables = await describeTables(this.connection, located, this.#lineages);
      for (const table of tables) this.#found.set(table.name, table);
      return tables;
    } catch (error) {
      throw this.#explain(error, `Database ${this.database}`);
    }
  }

  async dataset(dataset: Dataset): Promise<SourceTable> {
    try {
      const described = await describeDataset(this.connection, dataset, this.#lineages);
      this.#found.set(dataset.name, { ...described, inSnapshot: await allInSnapshot(this.connection) });
      return described;
    } catch (error) {
      throw this.#explain(error, `Dataset ${dataset.name}`);
    }
  }

  async *read(selection: TableSelection): AsyncGenerator<CsvChunk, void, undefined> {
    const { name } = selection.table;
    this.#read.add(name);
    const writer = new CsvWriter();
    const { from, maybeJson } = this.#found.get(name)!;
    let encoder: RowEncoder | undefined;
    writer.header(selection.columns.map((column) => column.name));
    try {
      yield* streamRows(this.connection, selectFrom(from, selection.columns), writer, (wire) => {
        encoder = new RowEncoder(writer, selection, wire, maybeJson);
        return encoder;
      });
    } catch (error) {
      throw this.#explain(error, `Table ${name}`);
    }
    this.#warn(name, encoder);
  }

  close(): Promise<void> {
    this.#closing ??= goodbye(this.connection);
    return this.#closing;
  }

  /** An aborted run's reason explains the failures that it caused. */
  #explain(error: unknown, what: string): unknown {
    const { signal } = this.context;
    return signal.aborted ? signal.reason : queryError(error, what);
  }

  #warn(table: string, encoder: RowEncoder | undefined): void {
    const hidden = this.#found.get(table)?.hiddenColumns ?? [];
    if (hidden.length > 0) {
      this.context.warn(`Table ${table}: the user may not select these columns: ${hidden.join(', ')}`);
    }
    const noIso = encoder?.noIsoValues() ?? [];
    if (noIso.length > 0) {
      const each = noIso.map(({ column, values }) => `${column} ${values}`).join(', ');
      this.context.warn(`Table ${table}: dates that are in no calendar were kept as text, such as 0000-00-00: ${each}`);
    }
  }
}
