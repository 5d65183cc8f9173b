import { type CsvChunk, CsvWriter, type SourceContext, type TableSelection } from '@ingesta/kit';
import type { Client } from 'cassandra-driver';
import { disconnect } from './connect';
import type { CassandraTable } from './discover';
import { quoteName } from './names';
import { Pace } from './pace';
import { RawRows } from './raw-rows';
import { type Page, readRange } from './read-range';
import { RowEncoder } from './row-encoder';
import { judgeRead, queryError } from './server-error';
import type { TokenRange } from './token-ranges';

/** Ranges read at the same time: while one page is written, the next ones are on their way. */
const CONCURRENCY = 3;
/** Chunks kept for a consumer that is slower than the nodes; no page is asked for while there are more. */
const MAX_PENDING_CHUNKS = 4;

interface RawPage extends Page {
  raw: RawRows;
}

/** What all tables are read with. */
export interface Reader {
  client: Client;
  keyspace: string;
  ranges: readonly TokenRange[];
  pageSize: number;
  context: SourceContext;
}

/** The one statement that reads a table, a range at a time. Of the key it asks for the token, never the value. */
export function selectStatement(keyspace: string, table: CassandraTable, columns: readonly { name: string }[]): string {
  const token = `token(${table.partitionKey.map(quoteName).join(', ')})`;
  const list = [token, ...columns.map(({ name }) => quoteName(name))].join(', ');
  return `SELECT ${list} FROM ${quoteName(keyspace)}.${quoteName(table.name)} WHERE ${token} > ? AND ${token} <= ?`;
}

/** `SourceSession.read` for one table. A reader that leaves early closes the connections. */
export async function* readTable(
  reader: Reader,
  table: CassandraTable,
  selection: TableSelection,
): AsyncGenerator<CsvChunk, void, undefined> {
  const { client, context } = reader;
  const what = `Table ${table.name}`;
  const writer = new CsvWriter();
  const cqlTypes = selection.columns.map(({ name }) => table.types.get(name)!);
  const encoder = new RowEncoder(writer, selection, cqlTypes);
  const query = selectStatement(reader.keyspace, table, selection.columns);
  writer.header(selection.columns.map((column) => column.name));

  const pending: CsvChunk[] = [];
  const waiting: (() => void)[] = [];
  let wake = () => {};
  let failure: { error: unknown } | null = null;
  let stopped = false;
  const pace = new Pace(reader.pageSize);
  const reading = {
    pace,
    fetch: (range: TokenRange, state: string | undefined, rows: number) => fetchPage(client, query, range, state, rows),
    take: async ({ raw }: RawPage) => {
      // At once and as a whole: the rows of the ranges may mix, their bytes may not.
      const taken = encoder.page(raw);
      pending.push(...writer.take());
      wake();
      while (pending.length >= MAX_PENDING_CHUNKS && !stopped) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      return taken;
    },
    judge: (error: unknown) => {
      const verdict = judgeRead(error);
      if (verdict !== 'final') context.log('debug', `${what}: ${(error as Error).message}: trying with less`);
      return verdict;
    },
    stopped: () => stopped,
  };
  const todo = [...reader.ranges].reverse();
  const work = async () => {
    for (let range = todo.pop(); range && !stopped; range = todo.pop()) await readRange(range, reading);
  };

  let working = CONCURRENCY;
  let left = true;
  try {
    context.signal.throwIfAborted();
    for (let i = 0; i < CONCURRENCY; i++) {
      work()
        .catch((error: unknown) => {
          failure ??= { error };
          stopped = true;
        })
        .finally(() => {
          working--;
          wake();
        });
    }
    for (;;) {
      const failed = failure as { error: unknown } | null;
      if (failed) throw failed.error;
      context.signal.throwIfAborted();
      const chunk = pending.shift();
      if (chunk) {
        for (const resume of waiting.splice(0)) resume();
        yield chunk;
      } else if (working === 0) {
        break;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    yield* writer.flush();
    left = false;
  } catch (error) {
    left = false;
    context.signal.throwIfAborted();
    throw queryError(error, what);
  } finally {
    stopped = true;
    for (const resume of waiting.splice(0)) resume();
    if (left) disconnect(client);
  }
  const odd = encoder.oddDates();
  if (odd.length > 0) {
    const each = odd.map(({ column, values }) => `${column} ${values}`).join(', ');
    context.warn(`${what}: dates outside the years 0000 to 9999, kept with a sign: ${each}`);
  }
}

async function fetchPage(
  client: Client,
  query: string,
  { after, upTo }: TokenRange,
  pageState: string | undefined,
  fetchSize: number,
): Promise<RawPage> {
  const result = await client.execute(query, [String(after), String(upTo)], {
    prepare: true,
    fetchSize,
    pageState,
  });
  const raw = result.rows as unknown;
  if (!(raw instanceof RawRows)) throw new Error('The driver decoded the rows');
  return { raw, rows: raw.length, next: result.pageState || undefined };
}
