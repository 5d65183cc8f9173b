import { ApiError } from '../../errors';
import type { QueryTable } from './engine';
import { quoteName, type TableText } from './with-tables';

/** SQL that counts, for each column, the values which are not of its declared type. In the dialect of every engine. */
export const misfitsSql = ({ columns, from }: Pick<TableText, 'columns' | 'from'>): string => {
  const counts = columns.map(({ from: name, type }) => {
    const column = quoteName(name);
    return `count(*) FILTER (WHERE ${column} IS NOT NULL AND TRY_CAST(${column} AS ${type}) IS NULL)`;
  });
  return `SELECT ${['0', ...counts].join(', ')} FROM ${from}`;
};

/**
 * Throws `DATA_NOT_AVAILABLE` that names the columns with such values, if the row of counts has any. The values are not
 * told: answers are no place for them.
 */
export function throwIfUnfit(
  { database, table, columns: declared }: QueryTable,
  columns: TableText['columns'],
  counts: readonly unknown[],
): void {
  const unfit = columns.filter((_, position) => Number(counts[position + 1]) > 0);
  if (unfit.length === 0) return;
  const typeOf = (name: string) => declared.find((column) => column.name === name)?.type;
  const names = unfit.map(({ name }) => `${name} (${typeOf(name)})`).join(', ');
  throw new ApiError(
    'DATA_NOT_AVAILABLE',
    `The committed ${database}.${table} holds values that are not of the type this route reads: ${names}`,
    {
      database,
      hint: `Correct them in the source and POST /api/ingesta/${database}, or declare another type in the pack.`,
    },
  );
}
