import { runTable, superseded } from './run-tables';

const COLUMNS = [{ source: 'id', name: 'id', type: 'bigint' }];
const RUN = { database: 'mysql', table: 'users', runId: '01890a5d-ac96-774b-bcce-b302099a8051' };
/** The table of the n-th run. */
const named = (run: number, family = 'mysql_users') => `${family}__${String(run).padStart(32, '0')}_00000000`;

it('names a table after all that it shows', () => {
  const table = runTable(RUN, 's3://lake/a/', COLUMNS);
  expect(table.name).toMatch(/^mysql_users__01890a5dac96774bbcceb302099a8051_[0-9a-f]{8}$/);
  expect(runTable(RUN, 's3://lake/a/', COLUMNS).name).toBe(table.name);
  expect(runTable(RUN, 's3://moved/a/', COLUMNS).name).not.toBe(table.name);
  expect(runTable(RUN, 's3://lake/a/', [{ ...COLUMNS[0]!, type: 'varchar' }]).name).not.toBe(table.name);
});

it.each([
  ['mysql', 'Users', 'mysql', 'users'],
  ['mysql', 'a-b', 'mysql', 'a_b'],
  ['a-b', 'users', 'a', 'b_users'],
  ['mysql', `${'x'.repeat(200)}1`, 'mysql', `${'x'.repeat(200)}2`],
])('keeps the tables of %s.%s apart from those of %s.%s, which a catalog would call the same', (...names) => {
  const [database, table, otherDatabase, otherTable] = names;
  const one = runTable({ ...RUN, database, table }, '', []);
  const other = runTable({ ...RUN, database: otherDatabase, table: otherTable }, '', []);
  const runs = (family: string) => [1, 2, 3].map((run) => named(run, family));
  const there = [...runs(one.family), ...runs(other.family)];
  expect(superseded({ ...one, name: there[2]! }, there)).toEqual([there[0]]);
  expect(superseded({ ...other, name: there[5]! }, there)).toEqual([there[3]]);
});

it('gives up all but the two newest runs of the same table', () => {
  const table = { ...runTable(RUN, '', []), name: named(3) };
  const others = ['mysql_users__x', 'mysql_users_old', 'pg_users'].map((family) => named(1, family));
  others.push('mysql_users', 'mysql_users__backup_20250101', 'mysql_users__archive_00000000');
  expect(superseded(table, [named(2), ...others, named(1), named(3), named(0)])).toEqual([named(0), named(1)]);
});

it('keeps an older run that is being asked for', () => {
  const table = { ...runTable(RUN, '', []), name: named(1) };
  expect(superseded(table, [named(1), named(2), named(3)])).toEqual([]);
});
