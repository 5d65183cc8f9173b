import type { Column } from '../contract/columns';
import { sensitiveRules } from '../sensitive/sensitive-rules';
import type { SourceTable } from '../source';
import { planTable } from './plan-tables';

const column = (name: string): Column => ({ name, source_type: 'text', logical_type: 'text', nullable: true });
const table = (name: string, ...columns: string[]): SourceTable => ({
  name,
  columns: columns.map(column),
  estimatedRows: null,
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

  it('knows a sensitive column under another name', () => {
    const dataset = { ...table('altas', 'id', 'p'), origins: new Map([['p', { table: 'users', path: ['clave'] }]]) };
    const { columns, dropped } = planTable(dataset, sensitiveRules('mysql', {}));
    expect(columns.map(({ name }) => name)).toEqual(['id']);
    expect(dropped).toEqual([{ name: 'p', reason: 'built-in rule: clave' }]);
  });

  it('knows a value from inside of something sensitive, and one whose key alone is a word for it', () => {
    const dataset = {
      ...table('altas', 'id', 'c', 'n', 'p'),
      origins: new Map([
        ['c', { table: 'users', path: ['login', 'clave'] }],
        ['n', { table: 'users', path: ['persona', 'dni', 'numero'] }],
        ['p', { table: 'users', path: ['login', 'clave_producto'] }],
      ]),
    };
    const { columns, dropped } = planTable(dataset, sensitiveRules('cassandra', { add: 'dni' }));
    expect(columns.map(({ name }) => name)).toEqual(['id', 'p']);
    expect(dropped).toEqual([
      { name: 'c', reason: 'built-in rule: clave' },
      { name: 'n', reason: 'SENSITIVE_COLUMNS: dni' },
    ]);
  });

  it('refuses a text that names a secret where the server does not tell what becomes of it', () => {
    const union = { ...table('altas', 'id', 'p'), unfollowed: ['id', 'p', 'Clave', 'users'] };
    const error = { code: 'SOURCE_CONFIG', message: expect.stringContaining('Clave') };
    expect(() => planTable(union, sensitiveRules('mysql', {}))).toThrow(expect.objectContaining(error));
    expect(planTable(union, sensitiveRules('mysql', { allow: 'clave' })).columns).toHaveLength(2);
    expect(() => planTable(union, sensitiveRules('mysql', { add: 'users.id', allow: 'clave' }))).toThrow(/column id/);
    expect(planTable(union, sensitiveRules('mysql', { add: 'clients.id', allow: 'clave' })).columns).toHaveLength(2);
    // Every column that goes is known.
    const origins = new Map(['id', 'p'].map((column) => [column, { table: 'users', path: [column] }]));
    expect(planTable({ ...union, origins }, sensitiveRules('mysql', {})).columns).toHaveLength(2);
  });

  it('knows the keys of a value under another name, and those of one that it cannot follow', () => {
    const rules = sensitiveRules('mysql', { add: 'datos.dni,mail.de' });
    const origins = new Map([['d', { table: 'users', path: ['datos'] }]]);
    const view = planTable({ ...table('altas', 'd', 'mail'), origins }, rules);
    expect(view.isSensitiveKey(['x', 'd', 'dni'])).toBe(false);
    expect(view.isSensitiveKey(['d', 'dni'])).toBe(true);
    expect(view.isSensitiveKey(['d', 'x', 'dni'])).toBe(false);
    expect(view.isSensitiveKey(['x', 'mail', 'de'])).toBe(true);
    const union = planTable({ ...table('altas', 'd'), unfollowed: ['datos', 'users'] }, rules);
    expect(union.isSensitiveKey(['d', 'dni'])).toBe(true);
    expect(union.isSensitiveKey(['d', 'nombre'])).toBe(false);
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
