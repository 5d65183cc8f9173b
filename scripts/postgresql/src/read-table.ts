import { type CsvChunk, CsvWriter, failed, type SourceContext, type TableSelection, unavailable } from '@ingesta/kit';
import type { Client } from 'pg';
import type { Connections } from './connections';
import type { FoundTable } from './discover';
import { quoteIdentifier } from './identifiers';
import { pageRanges } from './page-ranges';
import { RowEncoder } from './row-encoder';
import { RowMerge } from './row-merge';
import { RowStream } from './row-stream';
import { isLockConflict, queryError } from './server-error';
import { assertStillWhole } from './still-whole';

/**
 * Who wants the table for itself waits for our first connection; our second one would stand in line behind that, for
 * ever. In milliseconds.
 */
const SECOND_LOCK_TIMEOUT = 1_000;

/** The one statement that reads a table, or a range of it. */
function selectStatement(found: FoundTable, columns: readonly { name: string }[], range: string): string {
  const list = columns.map((column) => found.expressions.get(column.name) ?? quoteIdentifier(column.name));
  return `SELECT ${list.join(', ')} FROM ${found.from}${range && ` WHERE ${range}`}`;
}

/** `SourceSession.read` for one table. Unless it comes to its end, every connection is gone afterwards. */
export async function* readTable(
  connections: Connections,
  found: FoundTable,
  version: number,
  selection: TableSelection,
  context: SourceContext,
): AsyncGenerator<CsvChunk, void, void> {
  const table = new TableReading(connections, found, version, selection, context);
  let whole = false;
  try {
    void table.read();
    yield* table.merge.pieces();
    whole = true;
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof RangeError) {
      throw failed(
        `${table.what}: a value is too large for the memory there is`,
        'Leave the column out, or split it.',
        error,
      );
    }
    throw queryError(error, table.what);
  } finally {
    if (!whole) {
      table.merge.fail(new Error('Nobody reads any more'));
      connections.destroy();
    }
  }
  table.warn();
}

/** One table on its way: its ranges are read over as many connections as there are, into one CSV. */
class TableReading {
  readonly merge = new RowMerge();
  readonly what: string;
  readonly #encoders: RowEncoder[] = [];
  /** Not begun yet. */
  #ranges: string[] = [];

  constructor(
    readonly connections: Connections,
    readonly found: FoundTable,
    readonly version: number,
    readonly selection: TableSelection,
    readonly context: SourceContext,
  ) {
    this.what = `Table ${selection.table.name}`;
  }

  /** Never rejects: who takes the pieces gets the error. */
  async read(): Promise<void> {
    try {
      await this.#read();
      this.merge.end();
    } catch (error) {
      this.merge.fail(error);
    }
  }

  /** What people should know about the rows. */
  warn(): void {
    const { context, found, what } = this;
    const odd = this.#encoders.map((encoder) => encoder.withoutIsoForm);
    const count = odd.reduce((sum, one) => sum + one.count, 0);
    const columns = this.selection.columns.filter(({ name }) => odd.some((one) => one.columns.includes(name)));
    if (count > 0) {
      context.warn(
        `${what}: ${count} values without ISO form in columns ${columns.map(({ name }) => name).join(', ')}`,
      );
    }
    if (found.hiddenHeirs) {
      context.warn(
        `${what}: tables inherit from it that are not exported, or not to this user; their rows are not there`,
      );
    }
    if (found.rowSecurity) {
      context.warn(`${what}: row-level security applies; only the rows this user may see are there`);
    }
  }

  async #read(): Promise<void> {
    const { connections, context } = this;
    const first = await connections.acquire();
    if (this.found.searchPath !== null) {
      await first.query("SELECT pg_catalog.set_config('search_path', $1, true)", [this.found.searchPath]);
    }
    this.#ranges = context.parallelRanges > 1 ? await pageRanges(first, this.found, this.version) : [''];
    const others: Promise<void>[] = [];
    const wanted = Math.min(context.parallelRanges, this.#ranges.length) - 1;
    // Once the first holds its lock: it is the one that keeps others from changing the table.
    await this.#work(first, () => {
      for (let i = 0; i < wanted; i++) others.push(this.#help());
    });
    await Promise.all(others);
    // What a helper gave back.
    await this.#work(first);
    await assertStillWhole(first, this.found, this.what);
    await connections.release(first);
  }

  /** Reads ranges over one more connection, if there is one. */
  async #help(): Promise<void> {
    try {
      const client = await this.connections.acquireIfFree();
      if (!client) return;
      await client.query(`SET LOCAL lock_timeout = ${SECOND_LOCK_TIMEOUT}`);
      if (await this.#work(client)) await this.connections.release(client);
      else this.connections.drop(client);
    } catch (error) {
      this.merge.fail(error);
    }
  }

  /** Reads ranges until none is left. False: the table could not be locked, and the connection is of no use any more. */
  async #work(client: Client, onBegin?: () => void): Promise<boolean> {
    if (this.#ranges.length === 0) return true;
    const { merge, selection } = this;
    const writer = new CsvWriter();
    const encoder = new RowEncoder(selection.columns, writer, selection.isSensitiveKey);
    this.#encoders.push(encoder);
    if (onBegin) {
      merge.begin(writer);
      writer.header(selection.columns.map((column) => column.name));
    }
    let begun = onBegin;
    for (let range = this.#ranges.shift(); range !== undefined; range = this.#ranges.shift()) {
      const before = encoder.rows;
      const rows = new RowStream(selectStatement(this.found, selection.columns, range), encoder);
      try {
        client.query(rows);
        while (await rows.advance()) {
          this.context.signal.throwIfAborted();
          begun?.();
          begun = undefined;
          for (const piece of writer.take()) await merge.put(writer, piece);
        }
      } catch (error) {
        if (onBegin !== undefined || !isLockConflict(error) || encoder.rows > 0) throw error;
        this.#ranges.push(range);
        return false;
      }
      if (rows.reportedRows !== encoder.rows - before) {
        const counts = `${encoder.rows - before} rows came, ${rows.reportedRows} were sent`;
        throw unavailable(`${this.what}: ${counts}`, 'Run again.');
      }
    }
    for (const piece of writer.flush()) await merge.put(writer, piece);
    return true;
  }
}
