import { type CsvChunk, CsvWriter, failed, type SourceContext, type TableSelection } from '@ingesta/kit';
import type { ClientSession, Db } from 'mongodb';
import { eachDocument, readBatches } from './batches';
import { type FoundCollection, uuidOf } from './discover';
import { DocumentEncoder } from './document-encoder';
import { findCommand } from './find-command';
import { MAX_PROJECTED, sensitivePaths } from './nested-paths';
import { changed, queryError } from './server-error';
import type { ReadPoint } from './snapshot';

/** `SourceSession.read` for one collection. */
export async function* readCollection(
  db: Db,
  session: ClientSession,
  found: FoundCollection,
  selection: TableSelection,
  readPoint: ReadPoint,
  context: SourceContext,
): AsyncGenerator<CsvChunk, void, void> {
  const { name } = selection.table;
  const what = `Collection ${name}`;
  const readConcern = found.inSnapshot ? readPoint.readConcern : undefined;
  const writer = new CsvWriter();
  const encoder = new DocumentEncoder(writer, selection);
  try {
    const paths = await sensitivePaths(db, session, selection, found.nested, readConcern, context.signal);
    if (paths.length >= MAX_PROJECTED) {
      context.warn(`${what}: more than ${MAX_PROJECTED} nested fields are sensitive; the others were filtered here`);
    }
    writer.header(selection.columns.map((column) => column.name));
    const command = findCommand(selection, paths, readConcern);
    for await (const batch of readBatches(db, session, name, command, context.signal)) {
      eachDocument(batch, (start, end) => encoder.row(batch.bytes, start, end));
      yield* writer.take();
      context.signal.throwIfAborted();
    }
    await assertStillWhole(db, session, found, encoder.rows);
    yield* writer.flush();
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof RangeError) {
      throw failed(
        `${what}: a document cannot be read, or is too large for the memory there is`,
        'See the log.',
        error,
      );
    }
    throw queryError(error, what);
  }
  warn(what, encoder, context);
}

/** A collection that was dropped reads as an empty one, and a snapshot must show what the first pass counted. */
async function assertStillWhole(db: Db, session: ClientSession, found: FoundCollection, rows: number): Promise<void> {
  const what = `Collection ${found.table.name}`;
  if (found.inSnapshot && rows !== found.documents) {
    throw changed(what, `${rows} documents came, ${found.documents} were counted`);
  }
  if (found.uuid === null) return;
  const now = await uuidOf(db, session, found.table.name);
  if (now === undefined || !now.equals(found.uuid)) throw changed(what, 'it was dropped or renamed');
}

function warn(what: string, encoder: DocumentEncoder, context: SourceContext): void {
  if (encoder.withoutIsoForm.length > 0) {
    const each = encoder.withoutIsoForm.map(({ column, values }) => `${column} ${values}`).join(', ');
    context.warn(`${what}: dates outside of the years 1 to 9999 were kept as Extended JSON: ${each}`);
  }
  for (const { column, subtypes } of encoder.subtypes) {
    context.warn(`${what}: binary values of ${column} lost their subtype (${subtypes.join(', ')}) in the hex text`);
  }
}
