import type { DeclaredColumn, Engine, QueryTable, ResultSet, SqlValue } from './engine';
import { type GivenTable, given } from './testing/given-table';

/** An engine over a lake that the suite may fill. */
export interface EngineGiven {
  engine: Engine;
  /** Commits a table and does what the engine needs before it can be read. */
  commit(table: GivenTable, columns: readonly DeclaredColumn[]): Promise<QueryTable>;
}

const never = () => new AbortController().signal;

const PEOPLE: GivenTable = {
  table: 'people',
  columns: [
    given('id', 'integer', 'bigint'),
    given('name', 'text'),
    given('born', 'date'),
    given('salary', 'decimal', 'numeric(12,2)'),
    given('ratio', 'float', 'double'),
    given('active', 'boolean'),
    given('seen', 'timestamp'),
    given('note', 'text'),
  ],
  rows: [
    ['1', 'Ana "la ñ"\n😀, sí', '1990-02-28', '1234.50', '0.1', 'true', '2025-01-02 15:30:45.1', null],
    ['2', '', null, null, 'NaN', 'false', null, ''],
    ['9007199254740993', "O'Neill; DROP TABLE x --", '2024-02-29', '-0.01', '-1e-7', null, '1999-12-31 23:59:59', 'x'],
  ],
};
const PEOPLE_COLUMNS: DeclaredColumn[] = [
  { name: 'id', type: 'bigint' },
  { name: 'name', type: 'varchar' },
  { name: 'born', type: 'date' },
  { name: 'salary', type: 'decimal(12,2)' },
  { name: 'ratio', type: 'double' },
  { name: 'active', type: 'boolean' },
  { name: 'seen', type: 'timestamp' },
  { name: 'note', type: 'varchar' },
];

/** 1,000 rows: joined with itself often enough, they never end. */
const NUMBERS: GivenTable = {
  table: 'numbers',
  columns: [given('n', 'integer', 'int')],
  rows: Array.from({ length: 1000 }, (_, n) => [String(n)]),
};
const NUMBERS_COLUMNS: DeclaredColumn[] = [{ name: 'n', type: 'bigint' }];
const ENDLESS =
  'SELECT sum(a.n * b.n + c.n * d.n + e.n) AS n FROM mysql_numbers a, mysql_numbers b, mysql_numbers c, mysql_numbers d, mysql_numbers e';

/** The contract of `Engine`, kept by every adapter. Call inside a `describe`; `asked` is asked inside tests only. */
export function engineSuite(asked: () => EngineGiven): void {
  let people: QueryTable;
  let numbers: QueryTable;

  beforeAll(async () => {
    people = await asked().commit(PEOPLE, PEOPLE_COLUMNS);
    numbers = await asked().commit(NUMBERS, NUMBERS_COLUMNS);
  });

  const ask = async (sql: string, parameters: SqlValue[] = [], signal = never()): Promise<ResultSet> => {
    const [result] = await asked().engine.query([people, numbers], [{ sql, parameters }], signal);
    return result!;
  };
  const value = async (sql: string, parameters: SqlValue[] = []) => (await ask(sql, parameters)).rows[0]![0];
  const answers = async () => expect(await value('SELECT count(*) AS n FROM mysql_people')).toBe(3);

  it('gives each declared type as JSON has it, NULL apart from the empty text', async () => {
    const { columns, rows } = await ask('SELECT * FROM mysql_people ORDER BY id');
    expect(columns).toEqual([
      { name: 'id', type: 'integer' },
      { name: 'name', type: 'string' },
      { name: 'born', type: 'date' },
      { name: 'salary', type: 'number' },
      { name: 'ratio', type: 'number' },
      { name: 'active', type: 'boolean' },
      { name: 'seen', type: 'date-time' },
      { name: 'note', type: 'string' },
    ]);
    expect(rows).toEqual([
      [1, 'Ana "la ñ"\n😀, sí', '1990-02-28', 1234.5, 0.1, true, '2025-01-02T15:30:45.1Z', null],
      [2, '', null, null, null, false, null, ''],
      ['9007199254740993', "O'Neill; DROP TABLE x --", '2024-02-29', -0.01, -1e-7, null, '1999-12-31T23:59:59Z', 'x'],
    ]);
  });

  it('keeps the order that the statement asks for', async () => {
    const { rows } = await ask('SELECT n FROM mysql_numbers ORDER BY n % 7 DESC, n LIMIT 3');
    expect(rows).toEqual([[6], [13], [20]]);
  });

  it('runs several statements over the same tables', async () => {
    const statements = [
      { sql: 'SELECT count(*) AS n FROM mysql_people', parameters: [] },
      { sql: 'SELECT count(*) AS n FROM mysql_numbers WHERE n < ?', parameters: [10] },
    ];
    const results = await asked().engine.query([people, numbers], statements, never());
    expect(results.map(({ rows }) => rows)).toEqual([[[3]], [[10]]]);
  });

  it('lets statements share what other SELECTs find, their parameters bound in the order of the text', async () => {
    const low = { name: 'low', sql: 'SELECT n FROM mysql_numbers WHERE n < ? -- few', parameters: [10] };
    const even = {
      name: 'even',
      sql: 'WITH halves AS (SELECT n, mod(n, ?) AS rest FROM low) SELECT n FROM halves WHERE rest = 0',
      parameters: [2],
    };
    const statements = [
      { sql: 'SELECT sum(n) AS n FROM even WHERE n > ?', parameters: [4], shared: [low, even] },
      {
        sql: 'WITH big AS (SELECT n FROM low WHERE n > ?) SELECT count(*) AS n FROM big',
        parameters: [6],
        shared: [low],
      },
      { sql: 'SELECT count(*) AS n FROM mysql_people', parameters: [] },
    ];
    const results = await asked().engine.query([people, numbers], statements, never());
    expect(results.map(({ rows }) => rows)).toEqual([[[14]], [[3]], [[3]]]);
  });

  it('takes statements with expressions, comments and a semicolon of their own', async () => {
    const sql =
      '-- WITH a comment\nwith twice AS (SELECT n * 2 AS m FROM mysql_numbers)\nSELECT max(m) AS m FROM twice;\n';
    expect(await value(sql)).toBe(1998);
    const recursive =
      'WITH RECURSIVE steps(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM steps WHERE i < 5) ' +
      'SELECT count(*) AS n FROM steps, mysql_numbers';
    expect(await value(recursive)).toBe(5000);
  });

  it.each([
    ["O'Neill; DROP TABLE x --", 1],
    ["' OR '1'='1", 0],
    ['?', 0],
    ['', 1],
    ['"; SELECT 1; --', 0],
  ])('binds %j as a value', async (name, found) => {
    expect(await value('SELECT count(*) AS n FROM mysql_people WHERE name = ?', [name])).toBe(found);
  });

  it('binds numbers, booleans and NULL, in the order of the question marks', async () => {
    const sql =
      "SELECT count(*) AS n FROM mysql_people WHERE (salary > ? OR salary IS NULL) AND active = ? AND name <> '?'";
    expect(await value(sql, [1000.25, true])).toBe(1);
    expect(await value('SELECT count(*) AS n FROM mysql_people WHERE id = ?', [null])).toBe(0);
  });

  it('has no number for what is no number', async () => {
    const sql = 'SELECT ratio - ratio AS a, CAST(NULL AS double) AS b FROM mysql_people WHERE id = 2';
    expect((await ask(sql)).rows).toEqual([[null, null]]);
  });

  it('answers many callers at once', async () => {
    const all = Array.from({ length: 20 }, (_, n) => value('SELECT count(*) AS n FROM mysql_numbers WHERE n < ?', [n]));
    expect(await Promise.all(all)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('kills an endless query with its signal, and goes on answering', async () => {
    const stop = new AbortController();
    const reason = new Error('that is enough');
    const endless = ask(ENDLESS, [], stop.signal);
    // Others are answered meanwhile.
    await answers();
    stop.abort(reason);
    await expect(endless).rejects.toBe(reason);
    await answers();
    await expect(ask(ENDLESS, [], AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it.each([
    ['rows', 'SELECT a.n AS n FROM mysql_numbers a, mysql_numbers b'],
    [
      "bytes, its columns' names included",
      `SELECT a.n AS ${'n'.repeat(250)} FROM mysql_numbers a, mysql_numbers b WHERE b.n < 80`,
    ],
    ['bytes', "SELECT a.n AS n, rpad('x', 20000, 'x') AS long FROM mysql_numbers a"],
  ])('refuses an answer of too many %s', async (_, sql) => {
    await expect(ask(sql)).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE' });
    await answers();
  });

  it.each([
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "COPY (SELECT 1) TO '/tmp/ingesta-engine-suite.csv'",
    "ATTACH '/tmp/ingesta-engine-suite.db'",
    'INSTALL httpfs',
    'LOAD httpfs',
    'SET threads = 1',
    'CREATE TABLE mine AS SELECT 1 AS n',
    'DROP TABLE mysql_people',
    'SELECT 1 AS n; SELECT 2 AS n',
    'SELECT 1 AS n) AS x; CREATE TABLE mine (n int); SELECT * FROM (SELECT 1 AS n',
    'SELECT nothing FROM mysql_people',
  ])('refuses %j', async (sql) => {
    await expect(ask(sql)).rejects.toMatchObject({ code: 'INTERNAL' });
    await answers();
  });

  it('names the columns that a committed table does not have, and why', async () => {
    const tables = [{ ...people, columns: [...PEOPLE_COLUMNS, { name: 'password', type: 'varchar' }] }];
    const asking = asked().engine.query(tables, [{ sql: 'SELECT 1 AS n', parameters: [] }], never());
    await expect(asking).rejects.toMatchObject({
      code: 'DATA_NOT_AVAILABLE',
      message: expect.stringMatching(/mysql\.people .*password/),
      hint: expect.stringMatching(/password is left out by built-in rule.*id, name, born/),
    });
  });

  it('names table and column where a value is not of the declared type, but not the value', async () => {
    const table = {
      table: 'ages',
      columns: [given('id', 'text'), given('age', 'text')],
      rows: [
        ['1', '30'],
        ['2', 'sesenta'],
      ],
    };
    const columns = [
      { name: 'id', type: 'bigint' },
      { name: 'age', type: 'bigint' },
    ];
    const ages = await asked().commit(table, columns);
    const asking = asked().engine.query(
      [ages],
      [{ sql: 'SELECT sum(age) AS n FROM mysql_ages', parameters: [] }],
      never(),
    );
    const failure = await asking.catch((error) => error);
    expect(failure).toMatchObject({
      code: 'DATA_NOT_AVAILABLE',
      message: expect.stringMatching(/mysql\.ages .*: age \(bigint\)$/),
    });
    expect(failure.message).not.toContain('sesenta');
  });

  it('reads an empty table', async () => {
    const empty = await asked().commit({ ...PEOPLE, table: 'nobody', rows: [] }, PEOPLE_COLUMNS);
    const sql = 'SELECT count(*) AS n, sum(salary) AS s FROM mysql_nobody';
    const [result] = await asked().engine.query([empty], [{ sql, parameters: [] }], never());
    expect(result!.rows).toEqual([[0, null]]);
  });
}
