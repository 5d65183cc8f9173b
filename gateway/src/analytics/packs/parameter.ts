import type { SqlValue } from '../engines/engine';

export type ParameterType = 'integer' | 'number' | 'text' | 'date' | 'choice';

/** One query parameter of a route. */
export interface Parameter {
  name: string;
  type: ParameterType;
  /** Smallest and largest value, dates as `YYYY-MM-DD`; for text its lengths. */
  min: string | number | null;
  max: string | number | null;
  /** What `choice` may be. */
  choices: readonly string[];
  /** Null: the caller must give one. */
  fallback: SqlValue;
  description: string;
}

/** What SQL sees a parameter as: bound, and cast to its type, because engines type a bare `?` differently. */
export const SQL_TYPES: Record<ParameterType, string> = {
  integer: 'bigint',
  number: 'double',
  text: 'varchar',
  date: 'date',
  choice: 'varchar',
};

/** No range makes a text this long at most; nobody filters by more. */
const TEXT_MAX = 200;

/** A range or a default in a place where it would be taken for words. */
const STRAY = /^\s*(-?\d\S*\s*)?(=|\.\.|\|)/;

/**
 * Reads what stands behind `-- param:`, e.g. `months integer 1..36 = 12 Number of calendar months`. The range of a text
 * is that of its length. Gives a message where it is malformed.
 */
export function parseParameter(text: string): Parameter | string {
  const [, name, type, rest = ''] = /^([a-z_][a-z0-9_]*)\s+(\S+)(.*)$/s.exec(text) ?? [];
  if (name === undefined || type === undefined) return 'a parameter is like: months integer 1..36 = 12 What it means';
  if (!Object.hasOwn(SQL_TYPES, type))
    return `parameter ${name}: "${type}" is none of ${Object.keys(SQL_TYPES).join(', ')}`;
  const [, range, given, description = ''] = /^(?:\s+(?!=)(\S*(?:\.\.|\|)\S*))?(?:\s*=\s*("[^"]*"|\S+))?(.*)$/s.exec(
    rest,
  )!;
  if (STRAY.test(description)) {
    return `parameter ${name}: a range, without blanks, and a default stand before the description, like 1..36 = 12`;
  }
  const parameter: Parameter = {
    name,
    type: type as ParameterType,
    ...{ min: null, max: null, choices: [], fallback: null },
    description: description.trim(),
  };
  return readRange(parameter, range) ?? readFallback(parameter, given) ?? parameter;
}

function readRange(parameter: Parameter, range: string | undefined): string | null {
  const { name, type } = parameter;
  if (type === 'choice') {
    parameter.choices = range?.split('|') ?? [];
    const told = parameter.choices.length > 1 && !parameter.choices.includes('');
    return told ? null : `parameter ${name}: a choice needs its values, like week|month`;
  }
  if (type === 'text') Object.assign(parameter, { min: 0, max: TEXT_MAX });
  if (range === undefined) return null;
  const [low, high, more] = range.split('..');
  const bound = type === 'text' ? 'integer' : type;
  const min = low ? parseValue(bound, low) : parameter.min;
  const max = high ? parseValue(bound, high) : parameter.max;
  if (more !== undefined || high === undefined || min === undefined || max === undefined) {
    return `parameter ${name}: "${range}" is no range of ${type}, like 1..36, 0.. or ..10`;
  }
  if (min !== null && max !== null && min > max) return `parameter ${name}: the range ${range} is empty`;
  Object.assign(parameter, { min, max });
  return null;
}

function readFallback(parameter: Parameter, given: string | undefined): string | null {
  if (given === undefined) return null;
  try {
    parameter.fallback = readValue(parameter, given.replace(/^"(.*)"$/s, '$1'));
    return null;
  } catch (error) {
    return `the default of ${(error as Error).message}`;
  }
}

/** The value that a caller gave for a parameter. Throws an Error that says what it must be. */
export function readValue(parameter: Parameter, text: string): SqlValue {
  const { name, type, min, max, choices } = parameter;
  const value = parseValue(type, text);
  const size = type === 'text' ? text.length : value;
  const fits =
    value !== undefined &&
    (min === null || size! >= min) &&
    (max === null || size! <= max) &&
    (type !== 'choice' || choices.includes(text));
  if (!fits) throw new Error(`${name} must be ${expected(parameter)}`);
  return value;
}

/** What a parameter must be, for people. */
export function expected({ type, min, max, choices }: Parameter): string {
  if (type === 'choice') return `one of ${choices.join(', ')}`;
  const kind = { integer: 'a whole number', number: 'a number', text: 'text', date: 'a date like 2025-01-31' }[type];
  const unit = type === 'text' ? ' characters' : '';
  if (min !== null && max !== null) return `${kind} ${type === 'text' ? 'of' : 'from'} ${min} to ${max}${unit}`;
  if (min !== null) return `${kind}, at least ${min}`;
  return max === null ? kind : `${kind}, at most ${max}`;
}

function parseValue(type: ParameterType, text: string): string | number | undefined {
  switch (type) {
    case 'integer':
      return /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
    case 'number':
      return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined;
    case 'date':
      return isDate(text) ? text : undefined;
    default:
      // Control characters mean nothing in a filter, and a zero byte ends text in some engines.
      return /\p{Cc}/u.test(text) ? undefined : text;
  }
}

function isDate(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
