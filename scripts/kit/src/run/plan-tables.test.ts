import type { Column } from '../contract/columns';
import { sensitiveRules } from '../sensitive/sensitive-rules';
import type { SourceTable } from '../source';
import { planTable, selectTables } from './plan-tables';

const column = (name: string): Column => ({ name, source_type: 'text', logical_type: 'text', nullable: true });
const table = (name: string, ...columns: string[]): SourceTable => ({
  name,
  columns: columns.map(column),
  estimatedRows: null,
});
const FOUND = ['users', 'Users', 'user_roles', 'ventas.users', 'ventas.items', '__proto__', 'a+b'].map((name) =>
  table(name),
);

describe('selectTables', () => {
  const names = (requested: string[] | null, setting?: string) =>
    selectTables(FOUND, requested, setting).map(({ name }) => name);
  const all = FOUND.map(({ name }) => name);

  it.each<[string | undefined, string[]]>([
    [undefined, all],
    ['', all],
    [' , ', all],
    ['*', all],
    ['users', ['users']],
    ['ventas.items, users', ['users', 'ventas.items']],
    ['user*', ['users', 'user_roles']],
    ['?sers', ['users', 'Users']],
    ['ventas.*', ['ventas.users', 'ventas.items']],
    ['nothing*', []],
    ['a+b', ['a+b']],
    ['__proto__', ['__proto__']],
    ['!ventas.*', ['users', 'Users', 'user_roles', '__proto__', 'a+b']],
    ['!users', all.slice(1)],
    ['!nothing', all],
    ['*users,!ventas.*', ['users']],
    ['users,!*', []],
  ])('the setting %j selects %j', (setting, expected) => {
    expect(names(null, setting)).toEqual(expected);
  });

  it('takes what is requested by its exact name, once, whatever the setting says', () => {
    expect(names(['ventas.users', 'users', 'users'], 'items')).toEqual(['users', 'ventas.users']);
    expect(names([])).toEqual([]);
  });

  it.each<[string[] | null, string | undefined, string]>([
    [['users', 'clients', 'user*'], undefined, 'clients, user*'],
    [['USERS'], undefined, 'USERS'],
    [['constructor'], undefined, 'constructor'],
    [null, 'users,clients,x*', 'clients'],
  ])('stops for what is missing: %j %j', (requested, setting, missing) => {
    expect(() => names(requested, setting)).toThrow(
      expect.objectContaining({
        exitCode: 66,
        code: 'TABLE_NOT_FOUND',
        message: `Table not found: ${missing}`,
        hint: `The user can read: ${[...all].sort().join(', ')}.`,
      }),
    );
  });

  it('lists fifty tables, not thousands, and says if there is none', () => {
    const many = Array.from({ length: 1000 }, (_, i) => table(`t${i}`));
    expect(() => selectTables(many, ['x'], undefined)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/^The user can read: t0, .* and 950 more\.$/) }),
    );
    expect(() => selectTables([], ['x'], undefined)).toThrow(
      expect.objectContaining({ hint: 'The user can read: (none).' }),
    );
  });
});

describe('planTable', () => {
  const plan = (settings: { add?: string; allow?: string } = {}) =>
    planTable(table('users', 'id', 'password', 'email', 'datos'), sensitiveRules('mysql', settings));

  it('splits the columns, in order', () => {
    const { columns, dropped } = plan({ add: 'email' });
    expect(columns.map(({ name }) => name)).toEqual(['id', 'datos']);
    expect(dropped).toEqual([
      { name: 'password', reason: 'built-in rule: password' },
      { name: 'email', reason: 'SENSITIVE_COLUMNS: email' },
    ]);
  });

  it('tells each nested field once, by its path', () => {
    const { isSensitiveKey, dropped } = plan({ add: 'contacto.tel', allow: 'csrf.token' });
    for (let row = 0; row < 3; row++) {
      expect(isSensitiveKey(['datos', 'token'])).toBe(true);
      expect(isSensitiveKey(['datos', 'api', 'token'])).toBe(true);
      expect(isSensitiveKey(['datos', 'csrf', 'token'])).toBe(false);
      expect(isSensitiveKey(['datos', 'contacto', 'tel'])).toBe(true);
      expect(isSensitiveKey(['datos', 'tel'])).toBe(false);
    }
    expect(dropped.map(({ name }) => name)).toEqual([
      'password',
      'datos.token',
      'datos.api.token',
      'datos.contacto.tel',
    ]);
  });

  it('stays small where keys are data', () => {
    const { isSensitiveKey, dropped } = plan();
    for (let i = 0; i < 50_000; i++) {
      expect(isSensitiveKey(['datos', `id${i}`])).toBe(false);
      expect(isSensitiveKey(['datos', `id${i}`, 'token'])).toBe(true);
    }
    expect(isSensitiveKey(['datos', 'x'.repeat(1_000_000), 'token'])).toBe(true);
    expect(dropped.length).toBe(1001);
    expect(dropped.at(-1)).toEqual({ name: '…', reason: expect.stringContaining('more than 1000') });
  });

  it('shortens a name that is data', () => {
    const { isSensitiveKey, dropped } = plan();
    isSensitiveKey(['datos', 'x'.repeat(1_000_000), 'token']);
    expect(dropped.at(-1)!.name).toMatch(/^datos\.x{94}…x{94}\.token$/);
  });
});
