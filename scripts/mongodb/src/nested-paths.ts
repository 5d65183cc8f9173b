import type { TableSelection } from '@ingesta/kit';
import type { Document } from 'mongodb';
import { aggregate, type Pass, SAMPLE } from './first-pass';
import { NestedShape, type Skeleton } from './nested-shape';
import { isPlainName } from './plain-name';
import type { Relation } from './relation';

/** Levels to look at in the first attempt, and at most: expressions of the server may not nest without end. */
const LEVELS = [3, 8, 20];
/** A query may not grow without end either. Past this, values are only filtered on our side. */
export const MAX_PROJECTED = 1_000;

/** In the place of what lies deeper than was looked. */
const DEEPER = 1;
const NOTHING = 0;

/**
 * The paths of the nested fields that must not leave the server. It tells which keys there are, without any value;
 * which of them are sensitive is decided here. Paths below a sensitive one are left out, arrays have no name. All
 * documents are looked at, closely only those that differ from the first ones.
 */
export async function sensitivePaths(pass: Pass, relation: Relation, selection: TableSelection): Promise<string[][]> {
  const fields = selection.columns.map(({ name }) => name).filter((name) => relation.nested.includes(name));
  if (fields.length === 0) return [];
  const found = new Map<string, string[]>();
  const shapes = new Map(fields.map((name) => [name, new NestedShape()]));
  const isSensitive = (path: string[]): boolean => {
    if (!selection.isSensitiveKey(path)) return false;
    if (found.size < MAX_PROJECTED) found.set(path.join('\0'), path);
    return true;
  };
  const look = async (documents: readonly Document[]): Promise<void> => {
    for (const levels of LEVELS) {
      let isDeeper = false;
      const group = { $group: { _id: fields.map((name) => skeletonOf(fieldOf(name), levels)) } };
      for await (const { _id } of aggregate(pass, [...relation.pipeline, ...documents, group])) {
        for (const [i, name] of fields.entries()) {
          const skeleton = (_id as (Skeleton | number)[])[i]!;
          if (shapes.get(name)!.learn(skeleton, [name], isSensitive)) isDeeper = true;
        }
      }
      if (!isDeeper) return;
    }
  };
  const isCheap = relation.pipeline.length === 0 && relation.collection.kind === 'collection';
  if (isCheap) await look([{ $limit: SAMPLE }]);
  const query = isCheap ? unlikeShapes(shapes) : null;
  await look(query ? [{ $match: query }] : []);
  return [...found.values()];
}

/** A query for documents with a nested key that is in none of the shapes; null where none can tell. */
function unlikeShapes(shapes: ReadonlyMap<string, NestedShape>): Document | null {
  const schemas: [string, Document][] = [];
  for (const [name, shape] of shapes) {
    const schema = isPlainName(name) ? shape.schema() : null;
    if (schema === null) return null;
    schemas.push([name, schema]);
  }
  return { $nor: [{ $jsonSchema: { properties: Object.fromEntries(schemas) } }] };
}

/** A field of the document, whatever its name. */
const fieldOf = (name: string): Document | string =>
  isPlainName(name) ? `$${name}` : { $getField: { $literal: name } };

function skeletonOf(value: Document | string, levels: number): Document {
  const isArray = { $eq: [{ $type: value }, 'array'] };
  const isObject = { $eq: [{ $type: value }, 'object'] };
  if (levels === 0) return { $cond: [{ $or: [isArray, isObject] }, DEEPER, NOTHING] };
  const isContainer = { $in: [{ $type: '$$e' }, ['object', 'array']] };
  const elements = {
    $map: { input: { $filter: { input: value, as: 'e', cond: isContainer } }, as: 'e', in: { v: '$$e' } },
  };
  const members = { $cond: [isArray, elements, { $objectToArray: value }] };
  const member = [{ $ifNull: ['$$m.k', null] }, skeletonOf('$$m.v', levels - 1)];
  return {
    $cond: [
      { $or: [isArray, isObject] },
      // As a set: a thousand elements of one shape are told once.
      { $setUnion: [{ $map: { input: members, as: 'm', in: member } }, []] },
      NOTHING,
    ],
  };
}
