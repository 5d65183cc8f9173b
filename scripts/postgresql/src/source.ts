import {
  type CsvChunk,
  type Dataset,
  failed,
  type ListedTable,
  type Source,
  type SourceContext,
  type SourceSession,
  type SourceTable,
  type TableSelection,
} from '@ingesta/kit';
import type { Client } from 'pg';
import { connect, disconnect } from './connect';
import { Connections } from './connections';
import { findDataset } from './dataset';
import { describeRelations, type FoundTable, type ListedRelation, listRelations } from './discover';
import { lineageOfViews } from './lineage';
import { readTable } from './read-table';
import { queryError } from './server-error';
import { parseSettings } from './settings';
import { joinSnapshot, openSnapshot, type Snapshot } from './snapshot';

/** PostgreSQL 12 and later: REPEATABLE READ transactions over one snapshot for everything. */
export const postgresql: Source = {
  async connect(env, context) {
    const settings = parseSettings(env);
    const wanted = context.parallelTables * context.parallelRanges;
    const client = await connect(settings, context.signal);
    try {
      const snapshot = await openSnapshot(client, settings.statementTimeout, wanted > 1);
      if (snapshot.encoding === 'SQL_ASCII') {
        context.warn('The database is SQL_ASCII: a text that is not UTF-8 makes the run fail');
      }
      const open = async () => {
        const another = await connect(settings, context.signal);
        try {
          await joinSnapshot(another, snapshot.id!, settings.statementTimeout);
          return another;
        } catch (error) {
          disconnect(another);
          throw error;
        }
      };
      const connections = new Connections(client, snapshot.id === null ? 1 : wanted, open, context);
      return new PostgresqlSession(connections, snapshot, context);
    } catch (error) {
      disconnect(client);
      context.signal.throwIfAborted();
      throw queryError(error, 'Opening the snapshot');
    }
  },
};

class PostgresqlSession implements SourceSession {
  readonly parallelReads: number;
  readonly consistency = 'snapshot';
  readonly takenAt: Date;
  #listed = new Map<string, ListedRelation>();
  /** What was described. */
  readonly #found = new Map<string, FoundTable>();

  constructor(
    readonly connections: Connections,
    readonly snapshot: Snapshot,
    readonly context: SourceContext,
  ) {
    this.takenAt = snapshot.takenAt;
    this.parallelReads = context.parallelTables;
  }

  async list(): Promise<ListedTable[]> {
    this.#listed = await this.#ask('Listing the tables', (client) =>
      listRelations(client, this.snapshot.defaultSchema),
    );
    return [...this.#listed].map(([name, { kind }]) => ({ name, onDemand: kind === 'v' || kind === 'm' }));
  }

  async describe(names: readonly string[]): Promise<SourceTable[]> {
    const wanted = new Map(names.map((name) => [name, this.#listed.get(name)!]));
    const found = await this.#ask('Describing the tables', async (client) => {
      const described = await describeRelations(client, wanted);
      await lineageOfViews(client, described.values(), this.snapshot.defaultSchema);
      return described;
    });
    for (const [name, entry] of found) this.#found.set(name, entry);
    return names.map((name) => found.get(name)!.table);
  }

  async dataset(dataset: Dataset): Promise<SourceTable> {
    const found = await this.#ask(`Dataset ${dataset.name}`, (client) => findDataset(client, dataset, this.snapshot));
    this.#found.set(dataset.name, found);
    return found.table;
  }

  read(selection: TableSelection): AsyncIterable<CsvChunk> {
    const found = this.#found.get(selection.table.name);
    if (!found) throw failed(`Table ${selection.table.name} was never listed`, 'This is a defect: please report it.');
    return readTable(this.connections, found, this.snapshot.version, selection, this.context);
  }

  async close() {
    await this.connections.close();
  }

  async #ask<T>(what: string, question: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.connections.acquire();
    try {
      return await question(client);
    } catch (error) {
      this.context.signal.throwIfAborted();
      throw queryError(error, what);
    } finally {
      // Where the connection is lost, the next who asks for one is told.
      await this.connections.release(client).catch(() => undefined);
    }
  }
}
