import { DuckDBInstance } from '@duckdb/node-api';
import { type TableText, withTables } from '../with-tables';
import { withInstants } from './instants';

const COLUMNS = [
  { name: 'at', from: 'a"t', type: 'timestamp' },
  { name: 'day', from: 'day', type: 'timestamp' },
];
const INSTANTS = new Map([
  ['a"t', 'timestamp with time zone'],
  ['day', 'varchar'],
]);

it('reads instants as DuckDB casts them itself, at the edges and among NULLs, and leaves other columns alone', async () => {
  const values = ['0001-01-01 00:00:00.000001+00', '1960-02-29 23:59:59.5+00', '9999-12-31 23:59:59.999999+00', null];
  const rows = values.map((value) => `(${value === null ? 'NULL' : `timestamptz '${value}'`}, '2025-01-02 00:00:00')`);
  const text = { name: 't', columns: COLUMNS, from: `(VALUES ${rows.join(', ')}) AS v("a""t", "day")` };
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const read = async (table: TableText) =>
    (await (await connection.run(withTables('SELECT "at", "day" FROM t', [table]).sql)).getRows()).map(String);
  const replaced = withInstants(text, INSTANTS);
  expect(replaced.from).toContain('make_timestamp');
  expect(await read(replaced)).toEqual(await read(text));
  connection.closeSync();
  instance.closeSync();
});

it('leaves a table without instants as it is', () => {
  const text = { name: 't', columns: COLUMNS, from: 'x' };
  expect(withInstants(text, new Map([['a"t', 'timestamp']]))).toBe(text);
});
