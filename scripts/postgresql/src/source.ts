import {
  type CsvChunk,
  failed,
  type Source,
  type SourceContext,
  type SourceSession,
  type TableSelection,
} from '@ingesta/kit';
import type { Client } from 'pg';
import { connect, disconnect } from './connect';
import { discover, type FoundTable } from './discover';
import { readTable } from './read-table';
import { queryError } from './server-error';
import { parseSettings } from './settings';
import { openSnapshot, type Snapshot } from './snapshot';

/** How long a polite goodbye may take, in milliseconds. */
const CLOSE_TIMEOUT = 2_000;

/** PostgreSQL 12 and later: one connection, one REPEATABLE READ transaction for everything. */
export const postgresql: Source = {
  async connect(env, context) {
    const settings = parseSettings(env);
    const client = await connect(settings, context.signal);
    try {
      const snapshot = await openSnapshot(client, settings.statementTimeout);
      if (snapshot.encoding === 'SQL_ASCII') {
        context.warn('The database is SQL_ASCII: a text that is not UTF-8 makes the run fail');
      }
      return new PostgresqlSession(client, snapshot, context);
    } catch (error) {
      disconnect(client);
      context.signal.throwIfAborted();
      throw queryError(error, 'Opening the snapshot');
    }
  },
};

class PostgresqlSession implements SourceSession {
  readonly consistency = 'snapshot';
  readonly takenAt: Date;
  readonly #client: Client;
  readonly #snapshot: Snapshot;
  readonly #context: SourceContext;
  #found = new Map<string, FoundTable>();

  constructor(client: Client, snapshot: Snapshot, context: SourceContext) {
    this.takenAt = snapshot.takenAt;
    this.#client = client;
    this.#snapshot = snapshot;
    this.#context = context;
  }

  async tables() {
    try {
      this.#found = await discover(this.#client, this.#snapshot.defaultSchema);
    } catch (error) {
      this.#context.signal.throwIfAborted();
      throw queryError(error, 'Listing the tables');
    }
    return [...this.#found.values()].map((found) => found.table);
  }

  read(selection: TableSelection): AsyncIterable<CsvChunk> {
    const found = this.#found.get(selection.table.name);
    if (!found) throw failed(`Table ${selection.table.name} was never listed`, 'This is a defect: please report it.');
    return readTable(this.#client, found, selection, this.#context);
  }

  async close() {
    const timer = setTimeout(() => disconnect(this.#client), CLOSE_TIMEOUT);
    try {
      await this.#client.end();
    } finally {
      clearTimeout(timer);
    }
  }
}
