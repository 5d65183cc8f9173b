import type { ResultColumn, SqlValue } from '../engine';
import { isoInstant } from '../iso-instant';

/** Types of Trino's and Athena's results, without their arguments. */
const TYPES: Readonly<Record<string, ResultColumn['type']>> = {
  boolean: 'boolean',
  tinyint: 'integer',
  smallint: 'integer',
  integer: 'integer',
  bigint: 'integer',
  real: 'number',
  float: 'number',
  double: 'number',
  decimal: 'number',
  varchar: 'string',
  char: 'string',
  string: 'string',
  uuid: 'string',
  json: 'string',
  time: 'string',
  date: 'date',
  timestamp: 'date-time',
  'timestamp with time zone': 'date-time',
  // A bare NULL.
  unknown: 'string',
};

/** What a column is in JSON. Throws `Error` for types that JSON and the other engines have no scalar for. */
export function resultColumn(name: string, type: string): ResultColumn {
  const known = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (known === undefined) throw new Error(`column ${name} is a ${type}: cast it to a plain type`);
  return { name, type: known };
}

/** A value of such a column as JSON has it: NaN and the infinities are null, large integers text. */
export function resultValue({ name, type }: ResultColumn, value: SqlValue): SqlValue {
  if (value === null) return null;
  switch (type) {
    case 'boolean':
      return value === true || value === 'true';
    case 'integer': {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    }
    case 'number': {
      const number = Number(value);
      return Number.isFinite(number) ? number : null;
    }
    case 'date-time':
      return utcInstant(name, String(value));
    default:
      return String(value);
  }
}

const UTC = /^\S+[ T]\d\d:\d\d:\d\d(\.\d+)?( UTC| ?[+-]00:00)?$/;

/** Queries run in UTC; an instant of another zone can only come from the statement itself. */
function utcInstant(column: string, text: string): string {
  if (!UTC.test(text)) throw new Error(`column ${column} has an instant that is not in UTC`);
  return isoInstant(text);
}
