import {
  type CsvChunk,
  CsvWriter,
  configError,
  failed,
  SMALL_PIECES,
  type SourceContext,
  type TableSelection,
} from '@ingesta/kit';
import { eachDocument, readBatches } from './batches';
import { DocumentEncoder } from './document-encoder';
import { findCommand } from './find-command';
import { aggregate, type Pass } from './first-pass';
import { uuidOf } from './list-collections';
import { MAX_PROJECTED, sensitivePaths } from './nested-paths';
import type { Relation } from './relation';
import { changed, queryError } from './server-error';

/** `SourceSession.read` for one collection or dataset. */
export async function* readRelation(
  pass: Pass,
  relation: Relation,
  selection: TableSelection,
): AsyncGenerator<CsvChunk, void, void> {
  const { db, session, context, readConcern, collection } = pass;
  const what = whatIs(relation);
  const misfit = relation.isDeclared ? undeclared(what) : (how: string) => changed(what, how);
  const writer = new CsvWriter(SMALL_PIECES);
  const encoder = new DocumentEncoder(writer, selection, misfit);
  // Beside the reading: the server has time for it. Its failure must wait until somebody asks.
  const counted = countOf(pass, relation);
  counted.catch(() => undefined);
  try {
    const paths = await sensitivePaths(pass, relation, selection);
    if (paths.length >= MAX_PROJECTED) {
      context.warn(`${what}: more than ${MAX_PROJECTED} nested fields are sensitive; the others were filtered here`);
    }
    writer.header(selection.columns.map((column) => column.name));
    const command = findCommand(relation, selection, paths, readConcern);
    for await (const batch of readBatches(db, session, collection.name, command, context.signal)) {
      eachDocument(batch, (start, end) => encoder.row(batch.bytes, start, end));
      yield* writer.take();
      context.signal.throwIfAborted();
    }
    await assertStillWhole(pass, what, encoder.rows, await counted);
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

/** How messages call it. */
export const whatIs = ({ table, collection }: Pick<Relation, 'table' | 'collection'>): string =>
  table.name === collection.name ? `Collection ${table.name}` : `Dataset ${table.name}`;

/** The documents in the snapshot; null where they need not be as many as will be read, or would have to be read twice. */
async function countOf(pass: Pass, relation: Relation): Promise<number | null> {
  const { kind, inSnapshot } = relation.collection;
  if (!inSnapshot || kind !== 'collection' || relation.pipeline.length > 0) return null;
  for await (const { n } of aggregate(pass, [{ $count: 'n' }])) return Number(n);
  return 0;
}

/** A collection that was dropped reads as an empty one, and of a snapshot every document must have come. */
async function assertStillWhole(pass: Pass, what: string, rows: number, counted: number | null): Promise<void> {
  if (counted !== null && rows !== counted) throw changed(what, `${rows} documents came, ${counted} were counted`);
  const { uuid, name } = pass.collection;
  if (uuid === null) return;
  const now = await uuidOf(pass.db, pass.session, name);
  if (now === undefined || !now.equals(uuid)) throw changed(what, 'it was dropped or renamed');
}

const undeclared = (what: string) => (how: string) =>
  configError(`${what}: ${how}`, 'Correct the declared type of the column, or leave the declaration out.');

function warn(what: string, encoder: DocumentEncoder, context: SourceContext): void {
  if (encoder.withoutIsoForm.length > 0) {
    const each = encoder.withoutIsoForm.map(({ column, values }) => `${column} ${values}`).join(', ');
    context.warn(`${what}: dates outside of the years 1 to 9999 were kept as Extended JSON: ${each}`);
  }
  for (const { column, subtypes } of encoder.subtypes) {
    context.warn(`${what}: binary values of ${column} lost their subtype (${subtypes.join(', ')}) in the hex text`);
  }
}
