import {
  type Consistency,
  type CsvChunk,
  CsvWriter,
  type Source,
  type SourceContext,
  type SourceSession,
  type SourceTable,
  type TableSelection,
} from '@ingesta/kit';
import type { Connection } from 'mysql2';
import { connect, disconnect, goodbye } from './connect';
import { discover, type MysqlTable } from './discover';
import { RowEncoder } from './row-encoder';
import { streamRows } from './row-stream';
import { selectTable } from './select';
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
      return new MysqlSession(connection, settings.database, takenAt, context);
    } catch (error) {
      disconnect(connection);
      context.signal.throwIfAborted();
      throw connectError(error, `${settings.host}:${settings.port}`);
    }
  },
};

class MysqlSession implements SourceSession {
  readonly #found = new Map<string, MysqlTable>();
  readonly #read = new Set<string>();
  #closing: Promise<void> | null = null;

  constructor(
    readonly connection: Connection,
    readonly database: string,
    readonly takenAt: Date,
    readonly context: SourceContext,
  ) {}

  /** Of the tables read so far, or of all while none was: MyISAM, Aria and the like show the moment of their own read. */
  get consistency(): Consistency {
    const tables = [...this.#found.values()].filter(({ name }) => this.#read.size === 0 || this.#read.has(name));
    return tables.every(({ inSnapshot }) => inSnapshot) ? 'snapshot' : 'per_table';
  }

  async tables(): Promise<SourceTable[]> {
    try {
      for (const table of await discover(this.connection)) this.#found.set(table.name, table);
    } catch (error) {
      throw this.#explain(error, `Database ${this.database}`);
    }
    return [...this.#found.values()].map(({ name, columns, estimatedRows }) => ({ name, columns, estimatedRows }));
  }

  async *read(selection: TableSelection): AsyncGenerator<CsvChunk, void, undefined> {
    const { name } = selection.table;
    this.#read.add(name);
    const writer = new CsvWriter();
    const encoder = new RowEncoder(writer, selection, this.#found.get(name)?.maybeJson);
    writer.header(selection.columns.map((column) => column.name));
    try {
      yield* streamRows(this.connection, selectTable(this.database, name, selection.columns), encoder);
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

  #warn(table: string, encoder: RowEncoder): void {
    const hidden = this.#found.get(table)?.hiddenColumns ?? [];
    if (hidden.length > 0) {
      this.context.warn(`Table ${table}: the user may not select these columns: ${hidden.join(', ')}`);
    }
    const noIso = encoder.noIsoValues();
    if (noIso.length > 0) {
      const each = noIso.map(({ column, values }) => `${column} ${values}`).join(', ');
      this.context.warn(`Table ${table}: dates that are in no calendar were kept as text, such as 0000-00-00: ${each}`);
    }
  }
}
