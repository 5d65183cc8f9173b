import { selectTables } from './select-tables';

const OPEN = ['users', 'Users', 'user_roles', 'ventas.users', 'ventas.items', '__proto__', 'a+b'];
const ON_DEMAND = ['v_users', 'otra.pagos', 'otra.v_pagos'];
const LISTED = [
  ...OPEN.map((name) => ({ name, onDemand: false })),
  ...ON_DEMAND.map((name) => ({ name, onDemand: true })),
];
const DATASETS = [{ name: 'ofertas', text: 'SELECT 1' }];

describe('selectTables', () => {
  let warnings: string[];
  const warn = (message: string) => void warnings.push(message);
  beforeEach(() => {
    warnings = [];
  });
  const select = (requested: string[] | null, setting?: string) =>
    selectTables(LISTED, DATASETS, requested, setting, warn).tables;

  it.each<[string | undefined, string[]]>([
    [undefined, OPEN],
    ['', OPEN],
    [' , ', OPEN],
    ['*', OPEN],
    ['users', ['users']],
    ['ventas.items, users', ['users', 'ventas.items']],
    ['user*', ['users', 'user_roles']],
    ['?sers', ['users', 'Users']],
    ['ventas.*', ['ventas.users', 'ventas.items']],
    ['nothing*', []],
    ['a+b', ['a+b']],
    ['__proto__', ['__proto__']],
    ['!ventas.*', ['users', 'Users', 'user_roles', '__proto__', 'a+b']],
    ['!users', OPEN.slice(1)],
    ['!nothing', OPEN],
    ['*users,!ventas.*', ['users']],
    ['users,!*', []],
  ])('the setting %j selects %j', (setting, expected) => {
    expect(select(null, setting)).toEqual(expected);
  });

  it.each<[string, string[]]>([
    ['v_users', ['v_users']],
    ['v_*', []],
    ['*,v_users', [...OPEN, 'v_users']],
    ['otra.*', ['otra.pagos', 'otra.v_pagos']],
    ['otra.*,!*.v_*', ['otra.pagos']],
    ['ot*.pagos', []],
    ['*.pagos', []],
    ['otra.pagos', ['otra.pagos']],
  ])('the setting %j takes %j of what is on demand', (setting, expected) => {
    expect(select(null, setting)).toEqual(expected);
  });

  it('tells of what was to be left out and is not found', () => {
    expect(select(null, '!nothing,!users,!Users,!x*')).toEqual(OPEN.slice(2));
    expect(warnings).toEqual(['To be left out, but not found: nothing']);
    expect(select(['users'], '!nothing')).toEqual(['users']);
    expect(warnings).toHaveLength(1);
  });

  it('takes what is requested by its exact name, once, whatever the setting says', () => {
    expect(select(['ventas.users', 'users', 'users', 'v_users'], 'items')).toEqual([
      'users',
      'ventas.users',
      'v_users',
    ]);
    expect(select([])).toEqual([]);
  });

  it('takes every dataset beside the tables, or those that are requested', () => {
    expect(selectTables(LISTED, DATASETS, null, 'users', warn)).toEqual({ tables: ['users'], datasets: DATASETS });
    expect(selectTables(LISTED, DATASETS, ['users'], undefined, warn)).toEqual({ tables: ['users'], datasets: [] });
    expect(selectTables(LISTED, DATASETS, ['ofertas'], undefined, warn)).toEqual({ tables: [], datasets: DATASETS });
  });

  it('refuses a dataset that is called like a table', () => {
    expect(() => selectTables(LISTED, [{ name: 'v_users', text: '' }], ['users'], undefined, warn)).toThrow(
      expect.objectContaining({ code: 'SOURCE_CONFIG', message: 'The dataset v_users is called like a table' }),
    );
  });

  it.each<[string[] | null, string | undefined, string, string[]]>([
    [['users', 'clients', 'user*'], undefined, 'clients, user*', ['ofertas']],
    [['USERS'], undefined, 'USERS', ['ofertas']],
    [['constructor'], undefined, 'constructor', ['ofertas']],
    [null, 'users,clients,x*', 'clients', []],
    [null, 'ofertas', 'ofertas', []],
    [null, '*,!USERS,!nothing', 'USERS', []],
  ])('stops for what is missing: %j %j', (requested, setting, missing, more) => {
    expect(() => select(requested, setting)).toThrow(
      expect.objectContaining({
        exitCode: 66,
        code: 'TABLE_NOT_FOUND',
        message: `Table not found: ${missing}`,
        hint: `There are: ${[...OPEN, ...ON_DEMAND, ...more].sort().join(', ')}. Letter case counts.`,
      }),
    );
  });

  it('lists fifty tables, not thousands, and says if there is none', () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({ name: `t${i}`, onDemand: false }));
    expect(() => selectTables(many, [], ['x'], undefined, warn)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/^There are: t0, .* and 950 more\./) }),
    );
    expect(() => selectTables([], [], ['x'], undefined, warn)).toThrow(
      expect.objectContaining({ hint: 'There are: (none). Letter case counts.' }),
    );
  });
});
