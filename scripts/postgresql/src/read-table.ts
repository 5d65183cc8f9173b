import { type CsvChunk, CsvWriter, failed, type SourceContext, type TableSelection, unavailable } from '@ingesta/kit';
import type { Client } from 'pg';
import { disconnect } from './connect';
import type { FoundTable } from './discover';
import { quoteIdentifier } from './identifiers';
import { RowEncoder } from './row-encoder';
import { RowStream } from './row-stream';
import { queryError } from './server-error';
import { assertStillWhole } from './still-whole';

/** The one statement that reads a table. */
function selectStatement(found: FoundTable, columns: readonly { name: string }[]): string {
  const list = columns.map((column) => found.expressions.get(column.name) ?? quoteIdentifier(column.name));
  const table = `${quoteIdentifier(found.schema)}.${quoteIdentifier(found.relation)}`;
  return `SELECT ${list.join(', ')} FROM ${found.partitioned ? '' : 'ONLY '}${table}`;
}

/** `SourceSession.read` for one table. Unless it comes to its end, the connection is gone afterwards. */
export async function* readTable(
  client: Client,
  found: FoundTable,
  selection: TableSelection,
  context: SourceContext,
): AsyncGenerator<CsvChunk, void, void> {
  const what = `Table ${selection.table.name}`;
  const writer = new CsvWriter();
  const encoder = new RowEncoder(selection.columns, writer, selection.isSensitiveKey);
  const rows = new RowStream(selectStatement(found, selection.columns), (bytes, start, end) =>
    encoder.row(bytes, start, end),
  );
  let whole = false;
  try {
    writer.header(selection.columns.map((column) => column.name));
    client.query(rows);
    while (await rows.advance()) {
      context.signal.throwIfAborted();
      yield* writer.take();
    }
    if (rows.reportedRows !== encoder.rows) {
      throw unavailable(`${what}: ${encoder.rows} rows came, ${rows.reportedRows} were sent`, 'Run again.');
    }
    await assertStillWhole(client, found.oid, what);
    yield* writer.flush();
    whole = true;
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof RangeError) {
      throw failed(
        `${what}: a value is too large for the memory there is`,
        'Leave the column out, or split it.',
        error,
      );
    }
    throw queryError(error, what);
  } finally {
    if (!whole) disconnect(client);
  }
  const odd = encoder.withoutIsoForm;
  if (odd.count > 0) {
    context.warn(`${what}: ${odd.count} values without ISO form in columns ${odd.columns.join(', ')}`);
  }
  if (found.hiddenHeirs) {
    context.warn(
      `${what}: tables inherit from it that are not exported, or not to this user; their rows are not there`,
    );
  }
  if (found.rowSecurity) context.warn(`${what}: row-level security applies; only the rows this user may see are there`);
}
