import { parseSelect } from './select-text';

const selectors = (text: string) => parseSelect(text).selectors.map((selector) => selector.text);

describe('a SELECT, taken apart', () => {
  it('splits at its own commas only', () => {
    expect(selectors(`SELECT a, f(b, "x,y" ), m['k,1'] AS k, {'a': b} , "FROM" FROM t`)).toEqual([
      'a',
      'f(b, "x,y" )',
      "m['k,1'] AS k",
      "{'a': b}",
      '"FROM"',
    ]);
  });

  it('loses its comments, and nothing that looks like one', () => {
    const text = `-- one, two
      SELECT a, /* b, */ '--c' AS "d--" // e
      , f FROM "K"."T" WHERE x = '/* no; */' LIMIT 3 ;
      -- the end`;
    expect(parseSelect(text)).toMatchObject({ keyspace: 'K', rest: `"T" WHERE x = '/* no; */' LIMIT 3` });
    expect(selectors(text)).toEqual(['a', `'--c' AS "d--"`, 'f']);
  });

  it('names what each is made of', () => {
    const parsed = parseSelect(
      `select Id, "Id" as x, l.password p2, l['k'].f AS y, max(a), ks.f(b, (text)c), count(*) from t`,
    );
    expect(parsed.selectors.map(({ paths, isPath }) => [paths, isPath])).toEqual([
      [[['id']], true],
      [[['Id']], true],
      [[['l', 'password'], ['p2']], false],
      [[['l', 'k', 'f']], true],
      [[['a']], false],
      [[['b'], ['text'], ['c']], false],
      [[], false],
    ]);
    expect(parsed).toMatchObject({ distinct: false, keyspace: '', rest: 't' });
  });

  it('knows * and DISTINCT, and columns that are called like a keyword', () => {
    expect(parseSelect('SELECT * FROM k.t')).toMatchObject({ selectors: [], keyspace: 'k', rest: 't' });
    expect(parseSelect('SELECT DISTINCT a, b FROM t')).toMatchObject({ distinct: true });
    expect(selectors('SELECT DISTINCT a FROM t')).toEqual(['a']);
    expect(parseSelect('SELECT distinct, json FROM t')).toMatchObject({ distinct: false });
    expect(selectors('SELECT json AS x FROM t')).toEqual(['json AS x']);
  });

  it.each([
    ['SELECT a FROM t', null],
    ['SELECT a FROM t LIMIT 30', 30],
    ['SELECT a FROM t LIMIT 30 ALLOW FILTERING;', 30],
    ['SELECT a FROM t PER PARTITION LIMIT 2', null],
    ['SELECT a FROM t PER PARTITION LIMIT 2 limit 30', 30],
    [`SELECT a FROM t WHERE "limit" = 'LIMIT 4' -- LIMIT 5`, null],
    ['SELECT a FROM t ORDER BY partition LIMIT 6', 6],
  ])('knows the LIMIT of %p', (text, limit) => {
    expect(parseSelect(text).limit).toBe(limit);
  });

  it.each([
    ['', 'SELECT'],
    ['INSERT INTO t (a) VALUES (1)', 'SELECT'],
    ['SELECT a', 'FROM'],
    ['SELECT FROM t', 'FROM'],
    ['SELECT a FROM', 'table'],
    ['SELECT a,,b FROM t', 'comma'],
    ['SELECT JSON * FROM t', 'JSON'],
    ['SELECT JSON a, b FROM t', 'JSON'],
  ])('refuses %p', (text, problem) => {
    expect(() => parseSelect(text)).toThrow(problem);
  });
});
