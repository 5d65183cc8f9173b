import type { LogicalType } from '@ingesta/kit';
import { quoteIdentifier } from './identifiers';

/** A column's type behind its domains. */
export interface BaseType {
  /** `pg_type.typname`. */
  name: string;
  /** Lies in `pg_catalog`: a user's own type of the name `bool` is not a boolean. */
  builtIn: boolean;
  /** `pg_type.typtype` is `c`. */
  composite: boolean;
  /** An array's element type, behind its domains, or null. */
  element: string | null;
}

/** Everything else is text: enums, ranges, network addresses, geometry, `timetz` (its offset has no place in a time). */
const LOGICAL: Readonly<Record<string, LogicalType>> = {
  bool: 'boolean',
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  oid: 'integer',
  numeric: 'decimal',
  money: 'decimal',
  float4: 'float',
  float8: 'float',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  interval: 'interval',
  bytea: 'binary',
  json: 'json',
  jsonb: 'json',
};

/** Arrays, composites and hstore leave as JSON, so that nested keys can be filtered and readers need no parser. */
const becomesJson = (type: BaseType): boolean =>
  type.element !== null || type.composite || (type.name === 'hstore' && !type.builtIn);

/** What the CSV field means. */
export function logicalType(type: BaseType): LogicalType {
  if (becomesJson(type)) return 'json';
  return (type.builtIn ? LOGICAL[type.name] : undefined) ?? 'text';
}

/** The column in the SELECT list. `to_json` keeps every digit; money would come out in the server's currency format. */
export function columnExpression(column: string, type: BaseType): string {
  const name = quoteIdentifier(column);
  if (becomesJson(type)) {
    const cast = type.element === 'money' ? '::pg_catalog.numeric[]' : '';
    return `pg_catalog.to_json(${name}${cast})`;
  }
  return type.builtIn && type.name === 'money' ? `${name}::pg_catalog.numeric` : name;
}
