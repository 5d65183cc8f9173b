import type { Column } from '@ingesta/kit';
import { describeTypes, isNested } from './column-types';
import type { DeclaredColumns } from './declared-columns';
import type { FieldTypes } from './field-types';
import { firstPass, type Pass } from './first-pass';
import type { Collection } from './list-collections';
import { originsOf } from './pipeline-references';
import { reachOf } from './reach';
import type { Relation } from './relation';

/** What is empty still has the one field that every document must have. */
const ID: Column = { name: '_id', source_type: 'null', logical_type: 'json', nullable: false };

/** A collection or view with the columns that all its documents together have, or those that are declared. */
export async function describeCollection(
  pass: Pass,
  declared: DeclaredColumns | undefined,
  collections: ReadonlyMap<string, Collection>,
): Promise<Relation> {
  const { collection, db, session } = pass;
  const { columns, nested } = declared ?? columnsFound(await firstPass(pass, []));
  // From the collection's metadata; a view would have to be run for it.
  const estimatedRows =
    collection.kind === 'collection' ? Number((await db.command({ count: collection.name }, { session })).n) : null;
  const reach = reachOf(collection, [], collections);
  const origins = originsOf(columns, collection.over, reach.references);
  return {
    table: { name: collection.name, columns, origins, unfollowed: reach.names, estimatedRows },
    collection,
    pipeline: [],
    nested,
    isDeclared: declared !== undefined,
    reach,
  };
}

/** `_id` first, the others by name: documents have no common order. */
export function columnsFound(found: FieldTypes): DeclaredColumns {
  const rank = (field: string) => (field === '_id' ? 0 : 1);
  const names = [...found.fields.keys()].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const columns = names.map((name): Column => {
    const { sourceType, logicalType } = describeTypes(found.fields.get(name)!.keys());
    return { name, source_type: sourceType, logical_type: logicalType, nullable: found.isNullable(name) };
  });
  return {
    columns: columns.length > 0 ? columns : [ID],
    nested: names.filter((name) => isNested(found.fields.get(name)!.keys())),
  };
}
