import type { TableSelection } from '@ingesta/kit';
import type { Document } from 'mongodb';
import { isPlainName } from './plain-name';
import type { Relation } from './relation';

/**
 * The command that reads a collection or dataset. It excludes what must stay instead of naming what may go: a field that
 * nobody knew must be noticed, not lost. Only declared columns are named. Names that no path can hold need a stage of
 * their own.
 */
export function findCommand(
  relation: Relation,
  selection: TableSelection,
  nested: readonly (readonly string[])[],
  readConcern: Document | undefined,
): Document {
  const kept = selection.columns.map(({ name }) => name);
  const isKept = new Set(kept);
  const dropped = relation.isDeclared ? [] : selection.table.columns.filter(({ name }) => !isKept.has(name));
  const names = dropped.map(({ name }) => name);
  // A part of a path that no path can hold: filtered on our side.
  const paths = [...names.filter(isPlainName), ...nested.filter((path) => path.every(isPlainName)).map(joined)];
  const odd = names.filter((name) => !isPlainName(name));
  const projection = valued(paths, 0);
  const same = { ...(readConcern && { readConcern }) };
  const { name, kind } = relation.collection;
  if (odd.length === 0 && relation.pipeline.length === 0 && !relation.isDeclared) {
    // A stalled lake must not cost the cursor: it ends with the session, or when it is killed. Only views cannot have that.
    const patience = { ...(kind === 'collection' && { noCursorTimeout: true }) };
    return { find: name, ...(paths.length > 0 && { projection }), ...patience, ...same };
  }
  const pipeline: Document[] = [...relation.pipeline];
  if (relation.isDeclared) pipeline.push({ $project: { ...(!isKept.has('_id') && { _id: 0 }), ...valued(kept, 1) } });
  pipeline.push(...odd.map(withoutField));
  if (paths.length > 0) pipeline.push({ $project: projection });
  return { aggregate: name, pipeline, allowDiskUse: true, cursor: {}, ...same };
}

const joined = (path: readonly string[]): string => path.join('.');
const valued = (names: readonly string[], value: 0 | 1): Document => Object.fromEntries(names.map((n) => [n, value]));
const withoutField = (field: string): Document => ({
  $replaceWith: { $unsetField: { field: { $literal: field }, input: '$$ROOT' } },
});
