import { ApiError } from '../../errors';
import type { QueryTable } from './engine';
import { twinColumns } from './twin-columns';
import type { TableText } from './with-tables';

/**
 * The declared columns of a table, each with what it is called in the twin; found by exact name, else without regard to
 * letter case. Throws `DATA_NOT_AVAILABLE` naming the columns that the committed object does not have, and why.
 */
export function boundColumns({ database, table, columns, entry }: QueryTable): TableText['columns'] {
  const there = twinColumns(entry.columns);
  const missing: string[] = [];
  const bound = columns.map(({ name, type }) => {
    const alike = there.filter(({ source }) => source.toLowerCase() === name.toLowerCase());
    const found = there.find(({ source }) => source === name) ?? (alike.length === 1 ? alike[0] : undefined);
    if (found === undefined) missing.push(name);
    return { name, type, from: found?.name ?? name };
  });
  if (missing.length === 0) return bound;
  const dropped = entry.dropped_columns.filter((column) => missing.includes(column.name));
  const why = dropped.map(({ name, reason }) => `${name} is left out by ${reason}`);
  const has = `${database}.${table} has ${entry.columns.map(({ name }) => name).join(', ') || 'no column'}`;
  throw new ApiError(
    'DATA_NOT_AVAILABLE',
    `The committed ${database}.${table} has no column ${missing.join(', ')}, which this route reads`,
    { database, hint: `${[...why, has].join('; ')}. After correcting it: POST /api/ingesta/${database}` },
  );
}
