import fc from 'fast-check';
import {
  dataKeys,
  encodeName,
  lockKey,
  parquetKey,
  parquetKeys,
  parseRunMarker,
  pointerKey,
  RUN_ID,
  runKeys,
  runMarkerKey,
} from './keys';

const values = { db: 'mysql', timestamp: '20250102_153045', format: 'csv' as const };
const keysOf = (tables: string[], template?: string) => dataKeys(template, { ...values, tables });
/** Names like people's and like nobody's: case twins, separators, long ones, any Unicode. */
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', 'A', '.', '/', '%', '-', 'ñ'), maxLength: 5 }),
  fc.string({ unit: fc.constantFrom('x', 'X', 'ñ'), minLength: 100, maxLength: 400 }),
);

describe('encodeName', () => {
  it.each([
    ['users', 'users'],
    ['Año nuevo', 'A%C3%B1o%20nuevo'],
    ['a/b', 'a%2Fb'],
    ['100%', '100%25'],
    ['.', '%2E'],
    ['..', '%2E.'],
    ['.hidden', '%2Ehidden'],
    ['', '%'],
  ])('makes %j a segment', (from, to) => expect(encodeName(from)).toBe(to));

  it('is safe, and can be undone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        expect(encodeName(text)).toMatch(/^(?!\.)[A-Za-z0-9_.%-]+$/);
        expect(decodeURIComponent(encodeName(text))).toBe(text);
      }),
    );
  });
});

describe('dataKeys', () => {
  it('fills the template', () => {
    expect([...keysOf(['users', 'a b'])]).toEqual([
      ['users', 'mysql/users_20250102_153045.csv'],
      ['a b', 'mysql/a%20b_20250102_153045.csv'],
    ]);
    const gz = dataKeys('raw/dt={timestamp}/{table}.csv', { ...values, tables: ['t'], format: 'csv.gz' });
    expect(gz.get('t')).toBe('raw/dt=20250102_153045/t.csv.gz');
  });

  it('tells names apart that differ by letter case only, whatever their order', () => {
    const keys = keysOf(['Users', 'users', 'orders']);
    expect(keys.get('orders')).toBe('mysql/orders_20250102_153045.csv');
    expect(keys.get('users')).toMatch(/^mysql\/users-[0-9a-f]{8}_/);
    expect(keys.get('Users')).toMatch(/^mysql\/Users-[0-9a-f]{8}_/);
    expect(keysOf(['orders', 'users', 'Users'])).toEqual(new Map([...keys].reverse()));
  });

  it.each([
    ['{db}/{timestamp}.csv', 'must contain {table}'],
    ['{db}/{table}.csv', 'must contain {timestamp}'],
    ['{db}/{table}_{timestamp}_{who}.csv', 'letters, digits'],
    ['/{table}_{timestamp}', 'empty part'],
    ['../{table}_{timestamp}', 'starts with a dot'],
    ['_ingesta/{table}_{timestamp}', '_ingesta/'],
    [`${'x'.repeat(200)}{table}_{timestamp}`, 'too long'],
  ])('refuses the template %j', (template, problem) => {
    expect(() => keysOf(['t'], template)).toThrow(problem);
  });

  it('gives every table one key of its own that every store takes', () => {
    const template = fc.constantFrom(undefined, '{timestamp}/{table}/{table}.csv', '{table}{timestamp}{db}');
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 30 }), template, (tables, pattern) => {
        const keys = keysOf(tables, pattern);
        expect([...keys.keys()]).toEqual(tables);
        expect(new Set([...keys.values()].map((key) => key.toLowerCase())).size).toBe(tables.length);
        for (const key of keys.values()) {
          expect(key).toMatch(/^[A-Za-z0-9_.%/-]+$/);
          expect(key.length).toBeLessThanOrEqual(823);
          for (const part of key.split('/')) {
            expect(part).toMatch(/^[^.]/);
            expect(part.length).toBeLessThanOrEqual(255);
          }
        }
      }),
    );
  });

  it('does not let a table take the name made for another', () => {
    const taken = keysOf(['a', 'A']).get('a')!.slice('mysql/'.length, -'_20250102_153045.csv'.length);
    const keys = keysOf(['a', 'A', taken]);
    expect(new Set(keys.values()).size).toBe(3);
  });
});

describe('record keys', () => {
  it('lie below _ingesta', () => {
    expect(lockKey('mysql')).toBe('_ingesta/locks/mysql.json');
    expect(pointerKey('mysql')).toBe('_ingesta/current/mysql.json');
    const keys = runKeys('mysql', 'r-1');
    expect(keys.result(2)).toBe('_ingesta/runs/mysql/r-1/result-2.json');
    expect(keys).toMatchObject({
      folder: '_ingesta/runs/mysql/r-1/',
      run: '_ingesta/runs/mysql/r-1/run.json',
      manifest: '_ingesta/runs/mysql/r-1/manifest.json',
      log: '_ingesta/runs/mysql/r-1/log.ndjson',
    });
  });

  it('give each twin a folder of its own, whatever the table is called', () => {
    expect(parquetKey('mysql', 'users', 'r-1')).toBe('_ingesta/parquet/mysql/users/r-1/data.parquet');
    expect(parquetKey('mysql', '../ñ', 'r-1')).toBe('_ingesta/parquet/mysql/%2E.%2F%C3%B1/r-1/data.parquet');
    const long = ['a', 'b'].map((end) => parquetKey('mysql', 'ñ'.repeat(300) + end, 'r-1'));
    expect(new Set(long).size).toBe(2);
    expect(parquetKeys('mysql', 'users', 'r-1')).toEqual([
      '_ingesta/parquet/mysql/users/r-1/data.parquet',
      '_ingesta/parquet/mysql/users/r-1-other/data.parquet',
    ]);
    for (const key of long) expect(Math.max(...key.split('/').map((part) => part.length))).toBeLessThanOrEqual(255);
  });
});

describe('the marker of a run', () => {
  const run = '01942794-3f08-7abc-8def-0123456789ab';

  it('tells run and database again, and starts with what the id alone tells', () => {
    expect(parseRunMarker(runMarkerKey(run, 'my-sql-2'))).toEqual({ runId: run, database: 'my-sql-2' });
    expect(runMarkerKey(run, 'mysql').startsWith(runMarkerKey(run))).toBe(true);
  });

  it.each(['', 'x', '_ingesta/index/fe6bd/x.json', `_ingesta/index/fe6bd/000000000000_${'-'.repeat(36)}_mysql.json`])(
    'is not %j',
    (key) => expect(parseRunMarker(key)).toBeNull(),
  );

  it('is for UUIDv7 only', () => {
    expect(RUN_ID.test(run)).toBe(true);
    for (const id of [run.toUpperCase(), run.replace('7abc', '4abc'), `${run}/..`, ''])
      expect(RUN_ID.test(id)).toBe(false);
  });
});
