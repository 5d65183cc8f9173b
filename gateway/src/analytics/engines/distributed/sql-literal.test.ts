import { sqlLiteral, withLiterals } from './sql-literal';

it.each([
  [null, 'NULL'],
  [true, 'true'],
  [5, "BIGINT '5'"],
  [-9007199254740991, "BIGINT '-9007199254740991'"],
  [0.1, "DOUBLE '0.1'"],
  [1e300, "DOUBLE '1e+300'"],
  [1e20, "DOUBLE '100000000000000000000'"],
  [-1.5e-7, "DOUBLE '-1.5e-7'"],
  ["O'Neill", "'O''Neill'"],
  ["\\' OR 1=1 --", "'\\'' OR 1=1 --'"],
  ['ñ\n"😀?', `'ñ\n"😀?'`],
])('writes %j as %s', (value, literal) => {
  expect(sqlLiteral(value)).toBe(literal);
});

it.each([Number.NaN, Number.POSITIVE_INFINITY])('has no literal for %s', (value) => {
  expect(() => sqlLiteral(value)).toThrow('no number');
});

it('fills placeholders, and nothing that only looks like one', () => {
  const sql = `SELECT '?', 'it''s ?', "?", "a""?" -- ?\n/* ? */ FROM t WHERE a = ? AND b = ?`;
  expect(withLiterals(sql, ['?', 1])).toBe(
    `SELECT '?', 'it''s ?', "?", "a""?" -- ?\n/* ? */ FROM t WHERE a = '?' AND b = BIGINT '1'`,
  );
});

it('does not take a value for SQL', () => {
  expect(withLiterals('SELECT ? || ?', ["'; DROP TABLE x; --", '$&?'])).toBe("SELECT '''; DROP TABLE x; --' || '$&?'");
});

it.each([[[]], [[1, 2]]])('wants as many values as placeholders, not %j', (parameters) => {
  expect(() => withLiterals('SELECT ?', parameters)).toThrow('1 parameters');
});
