import {
  type CsvChunk,
  configError,
  failed,
  type Source,
  type SourceSession,
  type SourceTable,
  type TableSelection,
} from '@ingesta/kit';
import type { Client } from 'cassandra-driver';
import { connect, disconnect, goodbye } from './connect';
import { assertKeyspace, type CassandraTable, discover } from './discover';
import { type Reader, readTable } from './read-table';
import { connectError, queryError } from './server-error';
import { parseSettings } from './settings';
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
      const ranges = rangesOf(client, server.partitioner);
      const { keyspace, pageSize } = settings;
      return new CassandraSession({ client, keyspace, ranges, pageSize, context }, server.takenAt);
    } catch (error) {
      disconnect(client);
      context.signal.throwIfAborted();
      throw connectError(error, settings.hosts.join(','));
    }
  },
};

class CassandraSession implements SourceSession {
  /** Cassandra has no snapshots, not even of one table: rows are as they were when their range was read. */
  readonly consistency = 'none';
  #found = new Map<string, CassandraTable>();
  #closing: Promise<void> | null = null;

  constructor(
    readonly reader: Reader,
    readonly takenAt: Date,
  ) {}

  async tables(): Promise<SourceTable[]> {
    const { client, keyspace, context } = this.reader;
    try {
      this.#found = new Map((await discover(client, keyspace)).map((table) => [table.name, table]));
    } catch (error) {
      context.signal.throwIfAborted();
      throw queryError(error, `Keyspace ${keyspace}`);
    }
    return [...this.#found.values()].map(({ name, columns, estimatedRows }) => ({ name, columns, estimatedRows }));
  }

  read(selection: TableSelection): AsyncIterable<CsvChunk> {
    const table = this.#found.get(selection.table.name);
    if (!table) throw failed(`Table ${selection.table.name} was never listed`, 'This is a defect: please report it.');
    return readTable(this.reader, table, selection);
  }

  close(): Promise<void> {
    this.#closing ??= goodbye(this.reader.client);
    return this.#closing;
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
