import type { TableSelection } from '@ingesta/kit';
import type { Document } from 'mongodb';
import { isPlainName } from './nested-paths';

/**
 * The command that reads a collection. It excludes what must stay instead of naming what may go: a field that nobody
 * knew must be noticed, not lost. Names that no path can hold need a stage of their own.
 */
export function findCommand(
  selection: TableSelection,
  nested: readonly (readonly string[])[],
  readConcern: Document | undefined,
): Document {
  const kept = new Set(selection.columns.map(({ name }) => name));
  const dropped = selection.table.columns.map(({ name }) => name).filter((name) => !kept.has(name));
  // A part of a path that no path can hold: filtered on our side.
  const paths = [...dropped.filter(isPlainName), ...nested.filter((path) => path.every(isPlainName)).map(joined)];
  const odd = dropped.filter((name) => !isPlainName(name));
  const projection = Object.fromEntries(paths.map((path) => [path, 0]));
  const same = { ...(readConcern && { readConcern }) };
  const { name } = selection.table;
  if (odd.length === 0) {
    // A stalled lake must not cost the cursor: it ends with the session, or when it is killed.
    return { find: name, ...(paths.length > 0 && { projection }), noCursorTimeout: true, ...same };
  }
  const pipeline: Document[] = odd.map((field) => ({
    $replaceWith: { $unsetField: { field: { $literal: field }, input: '$$ROOT' } },
  }));
  if (paths.length > 0) pipeline.push({ $project: projection });
  return { aggregate: name, pipeline, cursor: {}, ...same };
}

const joined = (path: readonly string[]): string => path.join('.');
