import { quoteName, type TableText } from '../with-tables';

/**
 * The table with its instants as timestamps in UTC already: DuckDB's own cast from the one to the other asks its calendar
 * about each value, which takes ten times longer. `types` are those of the file's columns.
 */
export function withInstants(text: TableText, types: ReadonlyMap<string, string>): TableText {
  const replaced = text.columns
    .filter(({ from, type }) => type === 'timestamp' && types.get(from) === 'timestamp with time zone')
    .map(({ from }) => `make_timestamp(epoch_us(${quoteName(from)})) AS ${quoteName(from)}`);
  return replaced.length === 0
    ? text
    : { ...text, from: `(SELECT * REPLACE (${replaced.join(', ')}) FROM ${text.from})` };
}
