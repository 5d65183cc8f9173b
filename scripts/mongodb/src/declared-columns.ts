import type { Column } from '@ingesta/kit';
import { describeTypes, isNested, KNOWN_TYPES } from './column-types';
import { isObject } from './pipeline-check';
import { isPlainName } from './plain-name';

/** Columns that somebody wrote down. */
export interface DeclaredColumns {
  columns: Column[];
  /** Fields whose values may hold others inside. */
  nested: string[];
}

/**
 * Reads `{"_id":"objectId","total":"int|double"}`: names of fields and the types of their values, as the server calls
 * them (`uuid` for binary of subtype 4). Adds to `problems` what is wrong with it.
 */
export function declaredColumns(value: unknown, what: string, problems: string[]): DeclaredColumns {
  if (!isObject(value) || Object.keys(value).length === 0) {
    problems.push(`${what}: columns are no object of names and types`);
    return { columns: [], nested: [] };
  }
  const nested: string[] = [];
  const columns = Object.entries(value).map(([name, text]): Column => {
    const types = typeof text === 'string' ? text.split('|').map((type) => type.trim()) : [];
    const unknown = types.filter((type) => !KNOWN_TYPES.has(type));
    if (types.length === 0 || unknown.length > 0) {
      problems.push(`${what}: column ${name} has no type of ${[...KNOWN_TYPES].join(', ')}`);
    }
    if (!isPlainName(name)) problems.push(`${what}: ${JSON.stringify(name)} is no name for a declared column`);
    const { sourceType, logicalType } = describeTypes(types);
    if (isNested(types)) nested.push(name);
    return { name, source_type: sourceType, logical_type: logicalType, nullable: name !== '_id' };
  });
  return { columns, nested };
}
