import { combinesSelects, namesIn, takesUnnamed } from './names-in';

test('names of a statement, quoted and in literals too', () => {
  const sql = 'SELECT u.id, "la clave" AS `el dato`, \'"\' || ñandú_2 FROM usuarios u -- "';
  expect(namesIn(sql)).toEqual(expect.arrayContaining(['u', 'id', 'la clave', 'el dato', 'ñandú_2', 'usuarios']));
});

test('a statement that puts the rows of several together', () => {
  expect(combinesSelects('select 1\nUNION ALL select 2')).toBe(true);
  expect(combinesSelects('select reunion from t')).toBe(false);
});

it.each([
  ...[
    'SELECT * FROM t',
    'select\n*\nfrom t',
    'SELECT DISTINCT*FROM t',
    'SELECT *, 1 AS n FROM t',
    'SELECT a, * FROM t',
  ],
  ...['SELECT t . * FROM t', 'SELECT (t.c).* FROM t', 'SELECT row_to_json(t.*) FROM t'],
  ...['SELECT * -- all\nFROM t', 'SELECT */* all */FROM t', 'SELECT /* all */* FROM t'],
  ...['SELECT a FROM t UNION TABLE u', 'WITH w AS (table u) SELECT a FROM w'],
])('%j may take columns that it does not name', (sql) => {
  expect(takesUnnamed(sql)).toBe(true);
});

it.each([
  ...[
    'SELECT count(*) FROM t',
    'SELECT count( * ), a FROM t',
    'SELECT a * b FROM t',
    'SELECT 2*from_date, (a)*(b) FROM t',
  ],
  ...['/* from t, all */ SELECT a /* and b */, c /**/ FROM t_table', 'SELECT a FROM b UNION SELECT c FROM tables'],
])('%j names each of its columns', (sql) => {
  expect(takesUnnamed(sql)).toBe(false);
});
