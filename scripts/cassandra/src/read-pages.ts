import { type CsvChunk, CsvWriter, SMALL_PIECES, type SourceContext, type TableSelection } from '@ingesta/kit';
import type { Client } from 'cassandra-driver';
import { disconnect } from './connect';
import type { CqlType } from './cql-type';
import { Pace } from './pace';
import { AnswerTooLarge, ofAnySize, RawRows } from './raw-rows';
import { type Page, readRange } from './read-range';
import { RowEncoder } from './row-encoder';
import { judgeRead, queryError } from './server-error';
import type { TokenRange } from './token-ranges';

/** Pieces kept for a consumer that is slower than the nodes; no page is asked for while there are more. */
const MAX_PENDING_PIECES = 16;

interface RawPage extends Page {
  raw: RawRows;
}

/** One query whose pages become a CSV. */
export interface Reading {
  client: Client;
  context: SourceContext;
  /** Rows per page at most. */
  pageSize: number;
  /** For messages: `Table users`. */
  what: string;
  selection: TableSelection;
  types: ReadonlyMap<string, CqlType>;
  query: string;
  /**
   * Where the query reads a range, a token at a time: they are its two parameters, and its first column is the token.
   * Null for a query that is read as it stands.
   */
  ranges: readonly TokenRange[] | null;
}

/** A query without ranges is one that cannot be cut: see `readRange`. */
const UNCUT: TokenRange = { after: 0n, upTo: 0n };

/** The CSV of a query, header line first. A reader that leaves early closes the connections. */
export async function* readPages(reading: Reading): AsyncGenerator<CsvChunk, void, undefined> {
  const { client, context, what, selection, ranges } = reading;
  const writer = new CsvWriter(SMALL_PIECES);
  const cqlTypes = selection.columns.map(({ name }) => reading.types.get(name)!);
  const encoder = new RowEncoder(writer, selection, cqlTypes, ranges !== null);
  writer.header(selection.columns.map((column) => column.name));

  const pending: CsvChunk[] = [];
  const waiting: (() => void)[] = [];
  let wake = () => {};
  let failure: { error: unknown } | null = null;
  let stopped = false;
  const pace = new Pace(reading.pageSize);
  let turn: Promise<unknown> = Promise.resolve();
  const port = {
    pace,
    fetch: async (range: TokenRange, state: string | undefined): Promise<RawPage> => {
      const tokens = ranges ? [String(range.after), String(range.upTo)] : [];
      const page = async () => {
        // What the page before taught counts: asked for when the turn has come.
        const { rows, silences } = pace;
        try {
          return await fetchPage(client, reading.query, tokens, state, rows);
        } catch (error) {
          if (error instanceof AnswerTooLarge) pace.learn(rows, error.bytes);
          if (judgeRead(error) === 'silent') pace.unanswered(silences);
          throw error;
        }
      };
      if (!pace.heavy) return page();
      const mine = turn.then(page);
      turn = mine.catch(() => undefined);
      return mine;
    },
    take: async ({ raw }: RawPage) => {
      // At once and as a whole: the rows of the ranges may mix, their bytes may not.
      const taken = encoder.page(raw);
      pending.push(...writer.take());
      wake();
      while (pending.length >= MAX_PENDING_PIECES && !stopped) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      return taken;
    },
    judge: (error: unknown) => {
      if (judgeRead(error) === 'final') return 'final' as const;
      context.log('debug', `${what}: ${(error as Error).message}: trying with less`);
      return 'slow' as const;
    },
    stopped: () => stopped,
  };
  const todo = [...(ranges ?? [UNCUT])].reverse();
  const work = async () => {
    for (let range = todo.pop(); range && !stopped; range = todo.pop()) await readRange(range, port);
  };

  // While one page is written, the next ones are on their way.
  const workers = Math.min(2 * context.parallelRanges + 1, todo.length);
  let working = workers;
  let left = true;
  try {
    context.signal.throwIfAborted();
    for (let i = 0; i < workers; i++) {
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
  parameters: string[],
  pageState: string | undefined,
  fetchSize: number,
): Promise<RawPage> {
  const fetch = () => client.execute(query, parameters, { prepare: true, fetchSize, pageState });
  const result = await (fetchSize === 1 ? ofAnySize(fetch) : fetch());
  const raw = result.rows as unknown;
  if (!(raw instanceof RawRows)) throw new Error('The driver decoded the rows');
  return { raw, rows: raw.length, next: result.pageState || undefined };
}
