import { catalogNames } from './table-names';

const namesOf = (database: string, ...tables: string[]) => [...catalogNames(database, tables).values()];

it('calls a table by its database and its own name', () => {
  expect(namesOf('mysql', 'users', 'ordenes_2024')).toEqual(['mysql_users', 'mysql_ordenes_2024']);
});

it('takes no other characters than catalogs do', () => {
  expect(namesOf('ventas-2', 'Año "x"; DROP')).toEqual(['ventas_2_a_o__x___drop']);
});

it('tells tables apart whose names would meet, each by its own name alone', () => {
  const [upper, lower, other] = namesOf('mysql', 'Users', 'users', 'agents');
  expect(upper).toMatch(/^mysql_users_[0-9a-f]{8}$/);
  expect(lower).toMatch(/^mysql_users_[0-9a-f]{8}$/);
  expect(upper).not.toBe(lower);
  expect(other).toBe('mysql_agents');
  expect(namesOf('mysql', 'users', 'Users')).toEqual([lower, upper]);
});

it('keeps names short enough for what is put behind them', () => {
  expect(namesOf('mysql', 'x'.repeat(400))[0]).toHaveLength(150);
});
