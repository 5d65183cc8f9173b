import { type Column, configError, type SourceTable, type TableSelection } from '@ingesta/kit';
import type { Document } from 'mongodb';
import { isObject } from './pipeline-check';

/** A value that a pipeline takes from a field by its path (`"$contacto.email"`). */
export interface FieldReference {
  path: string[];
  /** The field of the output that is just this value, where a stage says so plainly. */
  renamedTo: string | null;
}

/** Stages whose keys are names of fields and whose values are what goes there. */
const ASSIGNING = new Set(['$project', '$addFields', '$set']);

/** Every field that the pipeline takes a value from by its path, nested pipelines included. */
export function referencesOf(pipeline: readonly Document[]): FieldReference[] {
  return pipeline.flatMap((stage) =>
    Object.entries(stage).flatMap(([name, body]) => {
      if (!ASSIGNING.has(name)) return within(body);
      return Object.entries(body as Document).flatMap(([field, value]) => {
        const path = typeof value === 'string' ? pathOf(value) : null;
        return path && !field.includes('.') ? [{ path, renamedTo: field }] : within(value);
      });
    }),
  );
}

function within(value: unknown): FieldReference[] {
  if (typeof value === 'string') {
    const path = pathOf(value);
    return path ? [{ path, renamedTo: null }] : [];
  }
  if (Array.isArray(value)) return value.flatMap(within);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inside]) => {
    if (key !== '$getField') return within(inside);
    const field = isObject(inside) && 'field' in inside ? inside.field : inside;
    const name = isObject(field) ? field.$literal : field;
    const own = typeof name === 'string' ? [{ path: name.replace(/^\$+/, '').split('.'), renamedTo: null }] : [];
    return [...own, ...within(inside)];
  });
}

/** `$a.b` and `$$ROOT.a.b` are `a.b`; a variable alone is no field. */
function pathOf(text: string): string[] | null {
  if (!text.startsWith('$')) return null;
  const path = text.startsWith('$$') ? text.split('.').slice(1) : text.slice(1).split('.');
  return path.length > 0 && path[0] !== '' ? path : null;
}

/** Of each column the field it is: that of its own name, unless a stage says otherwise. */
export const originsOf = (
  columns: readonly Column[],
  table: string,
  references: readonly FieldReference[],
): SourceTable['origins'] =>
  new Map(
    columns.map(({ name }) => {
      const renamed = references.findLast(({ renamedTo }) => renamedTo === name);
      return [name, { table, path: renamed?.path ?? [name] }];
    }),
  );

/**
 * Throws `configError` where the pipeline of a dataset or of a view carries a sensitive value under another name. A column
 * that is such a value and nothing else was already left out; anything else cannot be followed.
 */
export function refuseSensitiveReferences(references: readonly FieldReference[], selection: TableSelection): void {
  const { table } = selection;
  const kept = new Set(selection.columns.map(({ name }) => name));
  const isDropped = ({ renamedTo }: FieldReference): boolean =>
    renamedTo !== null &&
    !kept.has(renamedTo) &&
    table.columns.some(({ name }) => name === renamedTo) &&
    !references.some(({ path }) => path[0] === renamedTo);
  const isSensitive = (path: string[]) => path.some((_, i) => selection.isSensitiveKey(path.slice(0, i + 1)));
  const carried = references.filter((reference) => isSensitive(reference.path) && !isDropped(reference));
  if (carried.length === 0) return;
  throw configError(
    `${table.name} takes the values of sensitive fields: ${carried.map(({ path }) => path.join('.')).join(', ')}`,
    'Take them out of the pipeline of the dataset or view; SENSITIVE_COLUMNS_ALLOW exempts fields.',
  );
}
