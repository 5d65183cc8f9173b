import {
  type CsvChunk,
  configError,
  type Dataset,
  failed,
  type ListedTable,
  type Source,
  type SourceContext,
  type SourceSession,
  type SourceTable,
  type TableSelection,
} from '@ingesta/kit';
import type { Client } from 'cassandra-driver';
import { connect, disconnect, goodbye } from './connect';
import { type CassandraDataset, checkDataset, datasetPageSize, datasetStatement } from './dataset';
import { assertKeyspace, type CassandraTable, describeTables, type FoundTable, listTables } from './discover';
import { mayRead } from './may-read';
import { readPages } from './read-pages';
import { selectStatement } from './select-statement';
import { connectError, queryError } from './server-error';
import { parseSettings, type Settings } from './settings';
import { cutRing, type TokenRange, tokenSpaceOf } from './token-ranges';

/** Ranges per table at least; a cluster of many nodes or virtual nodes has more of its own. */
const MIN_RANGES = 16;

/** Cassandra 3.11 and later: each table in token ranges, a few at a time. */
export const cassandra: Source = {
  async connect(env, context) {
    const settings = parseSettings(env);
    const client = await connect(settings, context.signal);
    try {
      const server = await askServer(client);
      await assertKeyspace(client, settings.keyspace);
      return new CassandraSession(client, settings, context, rangesOf(client, server.partitioner), server.takenAt);
    } catch (error) {
      disconnect(client);
      context.signal.throwIfAborted();
      throw connectError(error, settings.hosts.join(','));
    }
  },
};

class CassandraSession implements SourceSession {
  readonly parallelReads: number;
  /** Cassandra has no snapshots, not even of one table: rows are as they were when their range was read. */
  readonly consistency = 'none';
  #listed = new Map<string, FoundTable>();
  readonly #tables = new Map<string, CassandraTable>();
  readonly #datasets = new Map<string, CassandraDataset>();
  #closing: Promise<void> | null = null;

  constructor(
    readonly client: Client,
    readonly settings: Settings,
    readonly context: SourceContext,
    readonly ranges: readonly TokenRange[],
    readonly takenAt: Date,
  ) {
    // One connection carries many requests, and no table needs what another one has.
    this.parallelReads = context.parallelTables;
  }

  async list(): Promise<ListedTable[]> {
    const { keyspace, user } = this.settings;
    return this.#asking(`Keyspace ${keyspace}`, async () => {
      const isReadable = await mayRead(this.client, user);
      const found = (await listTables(this.client)).filter(isReadable);
      this.#listed = new Map(found.map((table) => [this.#keyOf(table.keyspace, table.table), table]));
      return [...this.#listed].map(([name, table]) => ({
        name,
        onDemand: table.keyspace !== keyspace || table.base !== undefined,
      }));
    });
  }

  async describe(names: readonly string[]): Promise<SourceTable[]> {
    const wanted = names.map((name) => this.#listed.get(name)!);
    for (const keyspace of new Set(wanted.map((found) => found.keyspace))) {
      const tables = wanted.filter((found) => found.keyspace === keyspace).map(({ table }) => table);
      const described = await this.#asking(`Keyspace ${keyspace}`, () => describeTables(this.client, keyspace, tables));
      for (const table of described.values()) {
        const name = this.#keyOf(keyspace, table.table);
        this.#tables.set(name, { ...table, name });
      }
    }
    return names.map((name) => this.#tables.get(name)!);
  }

  async dataset(dataset: Dataset): Promise<SourceTable> {
    const place = {
      client: this.client,
      keyspace: this.settings.keyspace,
      tableOf: async (keyspace: string, name: string) => {
        const table = (await describeTables(this.client, keyspace, [name])).get(name)!;
        return { key: this.#keyOf(keyspace, name), table };
      },
    };
    const checked = await this.#asking(`Dataset ${dataset.name}`, () => checkDataset(place, dataset));
    this.#datasets.set(dataset.name, checked);
    return checked;
  }

  check(selection: TableSelection): void {
    const dataset = this.#datasets.get(selection.table.name);
    if (dataset) datasetStatement(dataset, selection.columns);
  }

  read(selection: TableSelection): AsyncIterable<CsvChunk> {
    const { client, context } = this;
    const { name } = selection.table;
    const { pageSize } = this.settings;
    const common = { client, context, selection };
    const dataset = this.#datasets.get(name);
    if (dataset) {
      const query = datasetStatement(dataset, selection.columns);
      const pages = { pageSize: datasetPageSize(dataset, pageSize), query, ranges: null };
      return readPages({ ...common, ...pages, what: `Dataset ${name}`, types: dataset.types });
    }
    const table = this.#tables.get(name);
    if (!table) throw failed(`Table ${name} was never described`, 'This is a defect: please report it.');
    const query = selectStatement(table, selection.columns);
    const pages = { pageSize, query, ranges: this.ranges };
    return readPages({ ...common, ...pages, what: `Table ${name}`, types: table.types });
  }

  close(): Promise<void> {
    this.#closing ??= goodbye(this.client);
    return this.#closing;
  }

  /** Tables of other keyspaces go by their full name. No name in Cassandra holds a dot. */
  #keyOf(keyspace: string, table: string): string {
    return keyspace === this.settings.keyspace ? table : `${keyspace}.${table}`;
  }

  async #asking<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.context.signal.throwIfAborted();
      throw queryError(error, what);
    }
  }
}

async function askServer(client: Client): Promise<{ takenAt: Date; partitioner: string }> {
  const { rows } = await client.execute('SELECT toTimestamp(now()) AS taken_at, partitioner FROM system.local');
  return { takenAt: rows[0]!.taken_at, partitioner: rows[0]!.partitioner };
}

function rangesOf(client: Client, partitioner: string): TokenRange[] {
  const space = tokenSpaceOf(partitioner);
  if (!space) throw configError(`Partitioner ${partitioner} is not supported`, 'Only Murmur3 and Random are.');
  const ring = [...client.metadata.getTokenRanges()].map(({ start, end }) => ({
    after: BigInt(String(start)),
    upTo: BigInt(String(end)),
  }));
  return cutRing(ring, space, MIN_RANGES);
}
