import { combinesSelects, namesIn } from './names-in';

test('names of a statement, quoted and in literals too', () => {
  const sql = 'SELECT u.id, "la clave" AS `el dato`, \'"\' || ñandú_2 FROM usuarios u -- "';
  expect(namesIn(sql)).toEqual(expect.arrayContaining(['u', 'id', 'la clave', 'el dato', 'ñandú_2', 'usuarios']));
});

test('a statement that puts the rows of several together', () => {
  expect(combinesSelects('select 1\nUNION ALL select 2')).toBe(true);
  expect(combinesSelects('select reunion from t')).toBe(false);
});
