import { SqlProblem } from '../engine';
import { type GivenEngine, givenEngine } from '../testing/given-engine';

const TABLES = [
  {
    name: 'mysql_users',
    columns: [
      { name: 'id', type: 'bigint' },
      { name: 'estado', type: 'varchar' },
      { name: 'monto', type: 'decimal(12,2)' },
      { name: 'ratio', type: 'double' },
      { name: 'activo', type: 'boolean' },
      { name: 'nacido', type: 'date' },
      { name: 'visto', type: 'timestamp' },
    ],
  },
];

let own: GivenEngine;
beforeAll(async () => {
  // The lake is never asked.
  own = await givenEngine({ LAKE_URL: 'file:///nowhere' });
});
afterAll(() => own.close());

const describeOne = async (sql: string, parameters: (string | number)[] = []) =>
  (await own.engine.describe(TABLES, [{ sql, parameters }]))[0]!.map(({ name, type }) => `${name} ${type}`);

const problemOf = async (sql: string, parameters: (string | number)[] = []): Promise<SqlProblem> => {
  const failure = await own.engine
    .describe(TABLES, [
      { sql: 'SELECT 1 AS one', parameters: [] },
      { sql, parameters },
    ])
    .catch((error) => error);
  expect(failure).toBeInstanceOf(SqlProblem);
  expect(failure.statement).toBe(1);
  return failure;
};

it('names the columns of a statement and what they are in JSON', async () => {
  expect(await describeOne('SELECT * FROM mysql_users')).toEqual([
    'id integer',
    'estado string',
    'monto number',
    'ratio number',
    'activo boolean',
    'nacido date',
    'visto date-time',
  ]);
  const sql = `WITH of_state AS (SELECT * FROM mysql_users WHERE estado = ?)
    SELECT count(*) AS users, sum(id) AS ids, avg(monto) AS mean, min(nacido) AS first, ? AS asked FROM of_state LIMIT ?`;
  expect(await describeOne(sql, ['Lima', 'x', 3])).toEqual([
    'users integer',
    'ids integer',
    'mean number',
    'first date',
    'asked string',
  ]);
});

it('does not run what it checks', async () => {
  const many = Array.from({ length: 6 }, (_, i) => `(SELECT unnest(range(100000)) AS x) AS t${i}`).join(', ');
  expect(await describeOne(`SELECT 1 AS n FROM ${many}`)).toEqual(['n integer']);
});

it.each([
  ['an unknown column', "-- ñ😀\nSELECT 'ñ' AS x, nothing FROM mysql_users", 'nothing'],
  ['an unknown column behind a WITH', 'WITH a AS (SELECT 1 AS n)\nSELECT a.n, missing FROM a, mysql_users', 'missing'],
  ['an unknown table', 'SELECT 1 AS n FROM nowhere_at_all', 'nowhere_at_all'],
  ['a word too much', 'SELECT id FRM mysql_users WHERE', 'mysql_users'],
])('points at %s', async (_, sql, word) => {
  expect((await problemOf(sql)).offset).toBe(sql.indexOf(word));
});

it.each([
  ['', /syntax error at end of input/],
  ['SELECT 1 AS n; SELECT 2 AS n', /2 statements/],
  ['CREATE TABLE x (n int)', /syntax error at or near "CREATE"/],
  ['SELECT 1 AS n) AS x; DROP TABLE y; SELECT (1', /syntax error at or near/],
  ["SELECT * FROM read_csv('/etc/passwd')", /disabled by configuration/],
  ['SELECT id, id FROM mysql_users', /two columns are called id/],
  ['SELECT [1, 2] AS list', /column list is a INTEGER\[\]: cast it/],
  ['SELECT ? AS a, ? AS b', /2 parameters, and 0 were given/],
  ['SELECT id FROM mysql_users -- WHERE', null],
  ['SELECT id FROM mysql_users;', null],
])('judges %j', async (sql, message) => {
  if (message === null) expect(await describeOne(sql)).toEqual(['id integer']);
  else expect((await problemOf(sql)).message).toMatch(message);
});
