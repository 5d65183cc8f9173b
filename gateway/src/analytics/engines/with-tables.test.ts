import { withTables } from './with-tables';

const users = { name: 'mysql_users', from: 'lake', columns: [{ name: 'id', from: 'ID', type: 'bigint' }] };
const TABLE = '"mysql_users" AS (SELECT CAST("ID" AS bigint) AS "id" FROM lake)';

it.each([
  ['SELECT 1', `WITH ${TABLE} SELECT 1`],
  ['with a AS (SELECT 1) SELECT * FROM a', `with ${TABLE}, a AS (SELECT 1) SELECT * FROM a`],
  [
    'WITH\nRECURSIVE a AS (SELECT 1) SELECT 2',
    `WITH\nRECURSIVE ${TABLE.replace(' AS', ' ("id") AS')}, a AS (SELECT 1) SELECT 2`,
  ],
  [
    '-- WITH x\n/* WITH */ With a AS (SELECT 1) SELECT 3',
    `-- WITH x\n/* WITH */ With ${TABLE}, a AS (SELECT 1) SELECT 3`,
  ],
  ["-- only this\nSELECT 'WITH'", `WITH ${TABLE} -- only this\nSELECT 'WITH'`],
  ['SELECT withheld FROM x', `WITH ${TABLE} SELECT withheld FROM x`],
  ['"with" AS x', `WITH ${TABLE} "with" AS x`],
])('makes the tables visible to %j', (sql, expected) => {
  const blanks = (text: string) => text.replace(/\s+/g, ' ');
  const text = withTables(sql, [users]);
  expect(blanks(text.sql)).toBe(blanks(expected));
  // Every character of the statement keeps its place in the statement; those added have none.
  const back = [...text.sql].flatMap((character, position) => {
    const offset = text.offsetOf(position);
    return offset === null ? [] : [[offset, character]];
  });
  expect(back).toEqual([...sql].map((character, position) => [position, character]));
});

it('changes nothing where there are no tables', () => {
  expect(withTables('SELECT 1', []).sql).toBe('SELECT 1');
});

it('quotes names, and takes words of the dialect and the text of FROM as they are', () => {
  const odd = { name: 'a"b', from: "read('x')", columns: [{ name: '"', from: "it's", type: 'decimal(12,2)' }] };
  expect(withTables('SELECT 1', [odd], 'NOT MATERIALIZED').sql).toBe(
    `WITH "a""b" AS NOT MATERIALIZED (SELECT CAST("it's" AS decimal(12,2)) AS """" FROM read('x')) SELECT 1`,
  );
});

it('puts what statements share behind the tables, a comment at its end notwithstanding', () => {
  const shared = [{ name: 'sold', sql: 'SELECT 1 -- one' }];
  expect(withTables('SELECT * FROM sold', [users], '', shared).sql).toBe(
    `WITH ${TABLE}, "sold" AS (SELECT 1 -- one\n) SELECT * FROM sold`,
  );
  expect(withTables('SELECT * FROM sold', [], '', shared).sql).toBe(
    'WITH "sold" AS (SELECT 1 -- one\n) SELECT * FROM sold',
  );
});

it('lets a table without declared columns be counted', () => {
  expect(withTables('SELECT 1', [{ ...users, columns: [] }]).sql).toContain('(SELECT 1 AS "_" FROM lake)');
});

it.each(['bigint); DROP TABLE x; --', 'int', 'decimal(1)', 'varchar(3)', ''])('takes no type %j', (type) => {
  const table = { ...users, columns: [{ name: 'id', from: 'id', type }] };
  expect(() => withTables('SELECT 1', [table])).toThrow('mysql_users.id has the unknown type');
});
