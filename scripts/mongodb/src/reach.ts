import { configError, type TableSelection } from '@ingesta/kit';
import type { Document } from 'mongodb';
import type { Collection } from './list-collections';
import { hidingProblems, isObject } from './pipeline-check';
import { type FieldReference, referencesOf, refuseSensitiveReferences } from './pipeline-references';

/** What a pipeline takes values from. */
export interface Reach {
  /** Of collections, of views on the way to them, and of fields; none where nothing is made of the collection's documents. */
  names: string[];
  /** The fields. */
  references: FieldReference[];
  /** Views whose pipeline the user may not see. */
  hidden: string[];
  /** Why the views cannot be looked through; empty where they can. */
  problems: string[];
}

/** Of a collection, or of a dataset over it: views are looked through, also those that it only looks values up in. */
export function reachOf(
  collection: Collection,
  pipeline: readonly Document[],
  collections: ReadonlyMap<string, Collection>,
): Reach {
  const { pipeline: own, over } = collection;
  const stages = [...own, ...pipeline];
  const hidden = isHidden(collection) ? [collection.name] : [];
  if (stages.length === 0) return { names: [], references: [], hidden, problems: [] };
  const others = new Set(collectionsIn(stages));
  const foreign: FieldReference[] = [];
  const problems = hidingProblems(own);
  for (const name of others) {
    const other = collections.get(name);
    if (!other) continue;
    if (isHidden(other)) hidden.push(name);
    for (const inner of [other.over, ...collectionsIn(other.pipeline)]) others.add(inner);
    problems.push(...hidingProblems(other.pipeline));
    // What another collection calls so is no column here.
    foreign.push(...referencesOf(other.pipeline).map(({ path }) => ({ path, renamedTo: null })));
  }
  const references = [...foreign, ...referencesOf(stages)];
  const fields = new Set(references.flatMap(({ path }) => path));
  return { names: [over, ...others, ...fields], references, hidden, problems };
}

/** A view lies over another collection, unless nobody tells. */
const isHidden = ({ kind, name, over }: Collection): boolean => kind === 'view' && over === name;

/** Throws `configError` where the pipeline of a dataset or of a view carries sensitive values to where no rule finds them. */
export function refuseHidden({ references, problems }: Reach, selection: TableSelection): void {
  if (problems.length > 0) {
    const { name } = selection.table;
    throw configError(
      `${name} cannot be looked through for sensitive fields: a view's ${[...new Set(problems)].join('; ')}`,
      'Change the view, or read its collection instead.',
    );
  }
  refuseSensitiveReferences(references, selection);
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
