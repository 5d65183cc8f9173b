import { failed, type SourceContext } from '@ingesta/kit';
import type { ClientSession, Db, Document } from 'mongodb';
import { FIELD_TYPES, FieldTypes } from './field-types';
import type { Collection } from './list-collections';
import { unlike } from './unlike';

/** Field names are then data: no CSV has so many columns. */
const MAX_COLUMNS = 10_000;
/** Documents to learn from before the others are only compared with what is known; thrice, as schemas change over time. */
export const SAMPLE = 1_000;
const SAMPLES = 3;

/** A pass over a collection: the server does the work, and tells nothing but names and types. */
export interface Pass {
  db: Db;
  session: ClientSession;
  collection: Collection;
  /** Only where the collection is in the snapshot. */
  readConcern: Document | undefined;
  context: SourceContext;
}

/**
 * Every field of the documents with every type of its values: of all documents, none left out. A collection is looked
 * at closely only as far as its documents differ from those seen before.
 */
export async function firstPass(pass: Pass, pipeline: readonly Document[], sample = SAMPLE): Promise<FieldTypes> {
  const known = new FieldTypes();
  const learn = async (documents: readonly Document[]): Promise<number> => {
    const before = known.documents;
    for await (const { _id, n } of aggregate(pass, [...pipeline, ...documents, ...FIELD_TYPES])) {
      const [field, type] = _id as [string | null, string];
      if (field === null) known.documents += Number(n);
      else known.add(field, type, Number(n));
      if (known.fields.size > MAX_COLUMNS) throw tooMany(pass.collection.name);
    }
    return known.documents - before;
  };
  // A view or a dataset may cost the server much, even for a few documents: each is run once.
  const samples = pipeline.length > 0 || pass.collection.kind !== 'collection' ? 0 : SAMPLES;
  for (let i = 0; i < samples; i++) {
    const query = unlike(known);
    if (i > 0 && query === null) break;
    const seen = await learn([...(query ? [{ $match: query }] : []), { $limit: sample }]);
    if (seen < sample) return known;
  }
  const query = unlike(known);
  if (query) await learn([{ $match: query }]);
  else {
    // The sample is among all.
    known.documents = 0;
    known.fields.clear();
    await learn([]);
  }
  return known;
}

/** The answers of an aggregation, as they come. As a command: the driver's helper takes no instant in a read concern. */
export async function* aggregate(
  { db, session, collection, readConcern, context }: Pass,
  pipeline: readonly Document[],
): AsyncGenerator<Document, void, void> {
  const cursor = db.runCursorCommand(
    { aggregate: collection.name, pipeline, allowDiskUse: true, cursor: {}, ...(readConcern && { readConcern }) },
    { session },
  );
  for await (const answer of cursor) {
    context.signal.throwIfAborted();
    yield answer;
  }
}

const tooMany = (name: string) =>
  failed(
    `Collection ${name} has more than ${MAX_COLUMNS} different fields`,
    'Names of fields seem to be data there: declare its columns in MONGO_COLUMNS, or leave it out with MONGO_TABLES=*,!… .',
  );
