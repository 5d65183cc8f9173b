import type { Column } from '@ingesta/kit';

/** A column of a twin: where it comes from, what it is called in Parquet, and its SQL type there. */
export interface TwinColumn {
  /** As in the manifest. */
  source: string;
  name: string;
  type: string;
}

/** What every value has a form in. */
export const FALLBACK_TYPE = 'varchar';

/**
 * For decimals whose source promises nothing: 18 digits are 64 bits, which every engine adds several times faster than the
 * 128 bits of more. Amounts fit; what does not gets 29 digits before the point and 9 behind it.
 */
const FREE_DECIMALS = ['decimal(18,6)', 'decimal(38,9)'];

/**
 * The types that a twin's column may have, best first; the first that every value fits without loss is taken. Text is
 * what remains for everything with no typed form: zero dates, infinity among dates, 60-digit numbers. Times, intervals,
 * UUIDs, JSON and binary (hex) always stay text: the engines' types for them differ, or are missing in one.
 */
export function candidateTypes({ logical_type, source_type }: Column): string[] {
  switch (logical_type) {
    case 'boolean':
      return ['boolean', FALLBACK_TYPE];
    case 'integer':
      return ['bigint', 'decimal(38,0)', FALLBACK_TYPE];
    case 'decimal':
      return [...decimalTypes(source_type), FALLBACK_TYPE];
    case 'float':
      return ['double', FALLBACK_TYPE];
    case 'date':
      return ['date', FALLBACK_TYPE];
    case 'timestamp':
      return ['timestamp', FALLBACK_TYPE];
    case 'timestamptz':
      return ['timestamp with time zone', FALLBACK_TYPE];
    default:
      return [FALLBACK_TYPE];
  }
}

/** `numeric(10,2)` says what it holds; other decimals get room on both sides of the point. */
function decimalTypes(sourceType: string): string[] {
  const [, precision, scale = '0'] = /\((\d+)(?:,\s*(\d+))?\)/.exec(sourceType) ?? [];
  const declared = Number(precision) >= 1 && Number(precision) <= 38 && Number(scale) <= Number(precision);
  return declared ? [`decimal(${precision},${Number(scale)})`] : FREE_DECIMALS;
}

/**
 * The columns of a twin. SQL takes names that differ by letter case only for one, and no empty name: such columns get
 * their position behind their name. `types` are those found; without them, the best ones.
 */
export function twinColumns(columns: readonly Column[], types?: readonly string[]): TwinColumn[] {
  const taken = new Set<string>();
  return columns.map((column, index) => {
    let name = column.name || `column_${index + 1}`;
    while (taken.has(name.toLowerCase())) name += `_${index + 1}`;
    taken.add(name.toLowerCase());
    return { source: column.name, name, type: types?.[index] ?? candidateTypes(column)[0]! };
  });
}
