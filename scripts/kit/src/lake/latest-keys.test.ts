import fc from 'fast-check';
import { latestKeys, latestTemplateProblem } from './latest-keys';

const TEMPLATE = '{db}/{table}/{table}.csv';
const plain = (...tables: string[]) => new Map(tables.map((table) => [table, false]));

describe('latestKeys', () => {
  it('fills the template, and shows the format of compressed objects', () => {
    expect([...latestKeys(TEMPLATE, 'mysql', new Map([...plain('users'), ['a b', true]]))]).toEqual([
      ['users', 'mysql/users/users.csv'],
      ['a b', 'mysql/a%20b/a%20b.csv.gz'],
    ]);
  });

  it.each([
    [TEMPLATE, 'mysql', 'copy_20250102_153045', 'mysql/copy_20250102%5F153045/copy_20250102%5F153045.csv'],
    ['{table}_153045/{db}.csv', 'mysql', '20250102', '20250102%5F153045/mysql.csv'],
    ['{db}_{table}.csv', 'a20250102', '153045', 'a20250102%5F153045.csv'],
  ])('lets no name make a timestamp in %s', (template, db, table, key) => {
    expect(latestKeys(template, db, plain(table)).get(table)).toBe(key);
  });

  it('gives every table of every database one key of its own, which looks like none of a run', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'A', '1', '12345678', '_', '.', '/', '.gz'), maxLength: 6 });
    const db = fc.string({ unit: fc.constantFrom('a', '-', '12345678'), maxLength: 3 }).map((rest) => `a${rest}`);
    const template = fc.constantFrom(TEMPLATE, '{db}_{table}.csv', 'x/{db}/{table}_123456.csv', 'x/{table}/{db}.csv');
    fc.assert(
      fc.property(
        template,
        fc.uniqueArray(db, { minLength: 2, maxLength: 2 }),
        fc.uniqueArray(text, { minLength: 1, maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
        (pattern, dbs, tables, compressed) => {
          expect(latestTemplateProblem(pattern, undefined)).toBeNull();
          const asked = new Map(tables.map((table, index) => [table, compressed[index]!]));
          const keys = dbs.flatMap((name) => [...latestKeys(pattern, name, asked).values()]);
          expect(new Set(keys.map((key) => key.toLowerCase())).size).toBe(2 * tables.length);
          for (const key of keys) expect(key).not.toMatch(/\d{8}_\d{6}/);
        },
      ),
    );
  });
});

describe('latestTemplateProblem', () => {
  it.each([
    [TEMPLATE, undefined],
    ['latest/{db}/{table}.csv', undefined],
    ['db={db}/table={table}/data.csv', undefined],
    ['{db}_{table}.csv', undefined],
    // A folder of the same name is in nobody's way where the copies end otherwise.
    ['latest/{table}/{db}.csv', 'raw/{db}/{table}/{timestamp}.csv'],
    ['latest/{db}_{table}.csv', 'raw/{db}/{table}/{timestamp}.csv'],
  ])('finds none in %s beside KEY_TEMPLATE=%s', (template, keyTemplate) => {
    expect(latestTemplateProblem(template, keyTemplate)).toBeNull();
  });

  it.each<[string, string | undefined, string]>([
    ['{db}/latest.csv', undefined, 'must contain {table}'],
    ['{table}.csv', undefined, 'must contain {db}'],
    ['{db}{table}.csv', undefined, 'must contain {db}'],
    ['{db}-{table}.csv', undefined, 'must contain {db}'],
    ['{table}_{db}.csv', undefined, 'must contain {db}'],
    ['{db}/{table}', undefined, 'must end in .csv'],
    ['{db}/{table}_{timestamp}.csv', undefined, 'may contain {db}, {table}, letters'],
    ['{db}/{table}_20250102_153045.csv', undefined, 'must not contain a timestamp'],
    ['_ingesta/{db}/{table}.csv', undefined, 'must not start with _ingesta/'],
    ['{table}/{db}/x.csv', undefined, 'could put a file in the place of _ingesta/'],
    ['_{db}/{table}.csv', undefined, 'could put a file in the place of _ingesta/'],
    ['../{db}/{table}.csv', undefined, 'starts with a dot'],
    ['/{db}/{table}.csv', undefined, 'empty part'],
    ['{db}/{table}.csv', '{db}/{table}/{timestamp}.csv', 'in the place of a folder'],
    ['{db}/{table}.csv', 'mysql/{table}.csv.gz/{timestamp}.csv', 'in the place of a folder'],
    [`{db}/${'x'.repeat(200)}{table}.csv`, undefined, 'too long'],
  ])('refuses %s beside KEY_TEMPLATE=%s', (template, keyTemplate, problem) => {
    expect(latestTemplateProblem(template, keyTemplate)).toContain(problem);
  });
});
