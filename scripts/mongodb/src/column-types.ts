import type { LogicalType } from '@ingesta/kit';

/** By the server's names of the types (`$type`), and `uuid` for binary of subtype 4. */
const LOGICAL_TYPES: Record<string, LogicalType> = {
  double: 'float',
  string: 'text',
  binData: 'binary',
  uuid: 'uuid',
  objectId: 'text',
  bool: 'boolean',
  date: 'timestamptz',
  int: 'integer',
  long: 'integer',
  decimal: 'decimal',
};
const NUMBERS = new Set(['int', 'long', 'double', 'decimal']);

/** Types whose values leave the field empty. `undefined` is a type of old that BSON still has. */
const EMPTY = new Set(['null', 'undefined', 'missing']);

/** Every type that a column may be declared to have. */
export const KNOWN_TYPES: ReadonlySet<string> = new Set([
  ...Object.keys(LOGICAL_TYPES),
  ...['object', 'array', 'null', 'regex', 'timestamp', 'javascript', 'symbol', 'minKey', 'maxKey'],
]);

/** How a field with values of these types goes into the CSV. */
export function describeTypes(found: Iterable<string>): { sourceType: string; logicalType: LogicalType } {
  const types = [...found].filter((type) => !EMPTY.has(type)).sort();
  const sourceType = types.join('|') || 'null';
  return { sourceType, logicalType: logicalType(types) };
}

function logicalType(types: readonly string[]): LogicalType {
  // What is never there says nothing of what it could be; JSON can hold all.
  if (types.length === 0) return 'json';
  if (types.length === 1) return LOGICAL_TYPES[types[0]!] ?? 'json';
  if (!types.every((type) => NUMBERS.has(type))) return 'json';
  const has = (type: string) => types.includes(type);
  if (!has('double') && !has('decimal')) return 'integer';
  // A double holds every int and not every long.
  return has('long') || has('decimal') ? 'decimal' : 'float';
}

/** Whether values of these types may hold others inside. */
export const isNested = (types: Iterable<string>): boolean =>
  [...types].some((type) => type === 'object' || type === 'array');
