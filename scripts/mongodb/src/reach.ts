import type { Document } from 'mongodb';
import type { Collection } from './list-collections';
import { isObject } from './pipeline-check';
import { type FieldReference, referencesOf } from './pipeline-references';

/** What a pipeline takes values from. */
export interface Reach {
  /** Of collections, of views on the way to them, and of fields; none where nothing is made of the collection's documents. */
  names: string[];
  /** The fields. */
  references: FieldReference[];
}

/** Of a collection, or of a dataset over it: views are looked through, also those that it only looks values up in. */
export function reachOf(
  { pipeline: own, over }: Collection,
  pipeline: readonly Document[],
  collections: ReadonlyMap<string, Collection>,
): Reach {
  const stages = [...own, ...pipeline];
  if (stages.length === 0) return { names: [], references: [] };
  const others = new Set(collectionsIn(stages));
  const foreign: FieldReference[] = [];
  for (const name of others) {
    const other = collections.get(name);
    if (!other) continue;
    for (const inner of [other.over, ...collectionsIn(other.pipeline)]) others.add(inner);
    // What another collection calls so is no column here.
    foreign.push(...referencesOf(other.pipeline).map(({ path }) => ({ path, renamedTo: null })));
  }
  const references = [...foreign, ...referencesOf(stages)];
  return { names: [over, ...others, ...new Set(references.flatMap(({ path }) => path))], references };
}

/** Every other collection that a pipeline reads, nested pipelines included. */
function collectionsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(collectionsIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, body]) => {
    const name = key === '$unionWith' ? (body?.coll ?? body) : /^\$(?:graphL|l)ookup$/.test(key) ? body?.from : null;
    return [...(typeof name === 'string' ? [name] : []), ...collectionsIn(body)];
  });
}
