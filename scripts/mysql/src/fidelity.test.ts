import fc from 'fast-check';
import { describeWith } from '../../../test/services/need';
import { runBundle } from '../../kit/src/testing/run-bundle';
import { quoteName } from './select';
import { differences, reload } from './testing/reload';
import { createTestDatabase, sourceEnv, type TestDatabase } from './testing/test-database';

const AWKWARD = [
  '',
  ' ',
  ' a ',
  'a,b',
  '"',
  'dice "hola"',
  'línea\nlínea',
  '\r\n',
  '\\',
  '\\N',
  '\\.',
  'NULL',
  '😀 ñ 中',
  '\0',
  'a\0b',
  "'",
  '\t',
];

/** Column definitions, and SQL values for each besides NULL. */
const TYPES: Record<string, string[]> = {
  TINYINT: ['-128', '127', '0'],
  'TINYINT(1)': ['0', '1', '2'],
  'TINYINT UNSIGNED': ['255'],
  SMALLINT: ['-32768', '32767'],
  MEDIUMINT: ['-8388608', '8388607'],
  INT: ['-2147483648', '2147483647'],
  'INT(8) UNSIGNED ZEROFILL': ['42', '4294967295'],
  BIGINT: ['-9223372036854775808', '9223372036854775807'],
  'BIGINT UNSIGNED': ['18446744073709551615', '9007199254740993'],
  'DECIMAL(65,30)': [
    '-99999999999999999999999999999999999.999999999999999999999999999999',
    '0.000000000000000000000000000001',
  ],
  'DECIMAL(10,2)': ['0.10', '-99999999.99'],
  'DECIMAL(10,2) ZEROFILL': ['1.5'],
  FLOAT: [
    '1.1',
    '16777216',
    '3.4028234e38',
    '-3.4028234e38',
    '1.17549435e-38',
    '1.4e-45',
    '0.333333333',
    '123456.789',
    '8388609',
  ],
  'FLOAT(10,3)': ['1234567.891', '-0.001'],
  DOUBLE: [
    '-1.7976931348623157e308',
    '1.7976931348623157e308',
    '2.2250738585072014e-308',
    '5e-324',
    '0.1e0 + 0.2e0',
    '1e15 / 3e0',
    '-1.2345678901234567e-300',
    '-0.00012345678901234567',
  ],
  'DOUBLE(30,10)': ['12345678901234567890.123456789', '-0.0000000001'],
  'BIT(1)': ["b'0'", "b'1'"],
  'BIT(64)': ["b'1111111111111111111111111111111111111111111111111111111111111111'", "b'101'"],
  DATE: ["'1000-01-01'", "'9999-12-31'", "'2024-02-29'", "'0000-00-00'", "'2024-00-15'"],
  DATETIME: ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'0000-00-00 00:00:00'"],
  'DATETIME(6)': ["'2024-03-31 02:30:00.123456'", "'9999-12-31 23:59:59.999999'", "'2024-01-01 00:00:00.1'"],
  TIMESTAMP: ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'0000-00-00 00:00:00'"],
  'TIMESTAMP(6)': ["'2024-10-27 02:30:00.000001'"],
  TIME: ["'-838:59:59'", "'838:59:59'", "'00:00:00'"],
  'TIME(6)': ["'-00:00:00.000001'", "'23:59:59.999999'"],
  YEAR: ['1901', '2155', '0'],
  'CHAR(20) CHARACTER SET latin1': ["'ñandú €'", "''"],
  'VARCHAR(20) CHARACTER SET utf16': ["'😀 ñ'"],
  'VARCHAR(20) CHARACTER SET ucs2': ["'中文'"],
  TINYTEXT: ["'texto'"],
  MEDIUMTEXT: ["REPEAT('á', 100000)"],
  LONGTEXT: ["REPEAT('x', 70000)"],
  'BINARY(4)': ["X'00ff'", "''"],
  'VARBINARY(300)': ["X'000a0d222c5cff'", "''", "REPEAT('x', 251)"],
  BLOB: ["REPEAT(X'00ff', 30000)", "''"],
  LONGBLOB: ["X'deadbeef'"],
  "ENUM('uno','dos, tres','ñ''\"')": ["'uno'", "'dos, tres'", "'ñ''\"'", "'unknown'"],
  "SET('a','b','c')": ["'a,c'", "''", "'a,b,c'"],
  JSON: [
    '\'{"a": [1, 2.50, "x, \\\\"y\\\\""], "b": null}\'',
    "'null'",
    "'[]'",
    '\'"ñ 😀"\'',
    "'123456789012345678901234567890'",
  ],
  GEOMETRY: ["ST_GeomFromText('POINT(1.5 -2.25)', 4326)", "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')"],
  POINT: ["ST_GeomFromText('POINT(0.1 0.2)')"],
};
const MARIADB_TYPES: Record<string, string[]> = {
  UUID: ["'123e4567-e89b-12d3-a456-426655440000'"],
  INET6: ["'2001:db8::ff00:42:8329'", "'::'"],
  INET4: ["'192.0.2.1'"],
};

/** A column may be called almost anything; not with a blank at its end, nor beyond the basic plane. */
const nameOf = (drawn: string): string =>
  `c ${drawn.replace(/[\0\u{10000}-\u{10ffff}]/gu, '_')}`
    .trimEnd()
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '');

describeWith(['mysql'], 'a MySQL table', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db?.drop());

  /** Exports `table`, rebuilds it from CSV and manifest, and tells where the two differ. */
  async function roundTrip(
    table: string,
  ): Promise<{ different: string[]; warnings: string[]; rows: (string | null)[][] }> {
    const opened = await db.open();
    const { columns } = opened.select(table);
    const rows = await opened.rows(table);
    await opened.session.close();
    await db.admin.query(`DROP TABLE IF EXISTS reloaded`);
    await reload(db.admin, 'reloaded', columns, rows);
    const different = await differences(db.admin, table, 'reloaded', columns);
    return { different, warnings: opened.warnings, rows };
  }

  it('comes back equal from its CSV, whatever the type and the value', async () => {
    const types = { ...TYPES, ...(db.isMariaDb ? MARIADB_TYPES : {}) };
    const definitions = Object.keys(types).map((type, i) => `c${i} ${type} NULL`);
    await db.admin.query(`SET sql_mode = ''; CREATE TABLE every (id INT PRIMARY KEY, ${definitions.join(', ')})`);
    let id = 0;
    const set = (assignment: string) => db.admin.query(`INSERT INTO every SET id = ${++id}${assignment}`);
    await set('');
    for (const [i, values] of Object.values(types).entries())
      for (const value of values) await set(`, c${i} = ${value}`);

    const { different, warnings, rows } = await roundTrip('every');
    expect(different).toEqual([]);
    expect(rows).toHaveLength(id);
    expect(rows[0]!.slice(1).every((value) => value === null)).toBe(true);
    const column = (type: string) => `c${Object.keys(types).indexOf(type)}`;
    expect(warnings).toEqual([
      `Table every: dates that are in no calendar were kept as text, such as 0000-00-00: ${column('DATE')} 2, ${column('DATETIME')} 1, ${column('TIMESTAMP')} 1`,
    ]);
  });

  it('keeps awkward text verbatim, in values and under awkward names', async () => {
    const names = ['with space', 'back`tick', 'ñandú', 'UPPER', 'select', 'com,ma', 'quo"te', 'what?'];
    const columns = names.map((name) => `\`${name.replaceAll('`', '``')}\` VARCHAR(50) NULL`).join(', ');
    await db.admin.query(`CREATE TABLE \`Order \`\`?\` (id INT PRIMARY KEY, ${columns})`);
    for (const [i, text] of AWKWARD.entries()) {
      await db.admin.query('INSERT INTO `Order ``?` VALUES (?)', [[i, ...names.map(() => text)]]);
    }
    const { different, rows } = await roundTrip('Order `?');
    expect(different).toEqual([]);
    expect(rows.map((row) => row[1])).toEqual(AWKWARD);
  });

  it('comes back equal for any text, number and bytes', async () => {
    await db.admin.query(
      'CREATE TABLE anything (id INT PRIMARY KEY, t TEXT, n DECIMAL(40,10), d DOUBLE, f FLOAT, b BLOB)',
    );
    const row = fc.tuple(
      fc.option(fc.string({ unit: 'grapheme' })),
      fc.option(fc.tuple(fc.bigInt(-(10n ** 30n) + 1n, 10n ** 30n - 1n), fc.integer({ min: 0, max: 10 ** 10 - 1 }))),
      fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      fc.option(fc.float({ noNaN: true, noDefaultInfinity: true })),
      fc.option(fc.uint8Array({ maxLength: 300 })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 50 }), async (rows) => {
        await db.admin.query('DELETE FROM anything');
        for (const [id, [t, n, d, f, b]] of rows.entries()) {
          const decimal = n && `${n[0]}.${String(n[1]).padStart(10, '0')}`;
          // Prepared: numbers go as the eight bytes they are.
          await db.admin.execute('INSERT INTO anything VALUES (?, ?, ?, ?, ?, ?)', [
            id,
            t,
            decimal,
            d,
            f,
            b && Buffer.from(b),
          ]);
        }
        const opened = await db.open();
        const found = await opened.rows('anything');
        await opened.session.close();
        const byId = found.sort((x, y) => Number(x[0]) - Number(y[0]));
        for (const [id, [t, , d, f, b]] of rows.entries()) {
          expect(byId[id]![1]).toBe(t);
          // By `Object.is`: -0 is not 0.
          expect(byId[id]![3] === null ? null : Number(byId[id]![3])).toBe(d);
          expect(byId[id]![4] === null ? null : Math.fround(Number(byId[id]![4]))).toBe(f);
          expect(byId[id]![5]).toBe(b && Buffer.from(b).toString('hex'));
        }
        await db.admin.query('DROP TABLE IF EXISTS reloaded');
        await reload(db.admin, 'reloaded', opened.select('anything').columns, found);
        expect(await differences(db.admin, 'anything', 'reloaded', opened.select('anything').columns)).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  it('comes back equal for any schema', async () => {
    const types = Object.entries({ ...TYPES, ...(db.isMariaDb ? MARIADB_TYPES : {}) });
    const column = fc.record({
      name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      type: fc.nat(types.length - 1),
      values: fc.array(fc.option(fc.nat(99)), { minLength: 3, maxLength: 3 }),
      isRequired: fc.boolean(),
    });
    const schema = fc.uniqueArray(column, { minLength: 1, maxLength: 25, selector: ({ name }) => nameOf(name) });
    await fc.assert(
      fc.asyncProperty(schema, async (drawn) => {
        const columns = drawn.map(({ name, type, values, isRequired }) => {
          const [definition, literals] = types[type]!;
          const drawnValues = values.map((n) =>
            n === null && !isRequired ? 'NULL' : literals[(n ?? 0) % literals.length]!,
          );
          const required = isRequired && !/^timestamp/i.test(definition) ? 'NOT NULL' : 'NULL';
          return { definition: `${quoteName(nameOf(name))} ${definition} ${required}`, values: drawnValues };
        });
        await db.admin.query(`DROP TABLE IF EXISTS drawn; SET sql_mode = '';
          CREATE TABLE drawn (id INT PRIMARY KEY, ${columns.map(({ definition }) => definition).join(', ')})`);
        for (const id of [0, 1, 2]) {
          await db.admin.query(
            `INSERT INTO drawn VALUES (${[id, ...columns.map(({ values }) => values[id])].join(', ')})`,
          );
        }
        expect((await roundTrip('drawn')).different).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    ['text', 'LONGTEXT', ["REPEAT('0123456789abcde,', 1048576)", "REPEAT('\"', 16777216)", "REPEAT('x', 16777216)"]],
    ['bytes', 'LONGBLOB', ["REPEAT(X'00ff2c22', 4194304)", "REPEAT(X'7b', 16777216)"]],
    ['JSON of one text', 'JSON', Array(2).fill(`CONCAT('{"a": "', REPEAT('x,', 8388590), '"}')`)],
    // The longest CSV that there is of 16 MiB: two thirds of its bytes are quotes.
    ['JSON of many texts', 'JSON', Array(2).fill(`CONCAT('[""', REPEAT(',"",""', 2796201), ']')`)],
  ])(
    'of %s costs little more than its value, however large that is',
    async (_, type, values) => {
      const rows = values.map((value, id) => `(${id}, ${value})`);
      await db.admin.query(`DROP TABLE IF EXISTS large; CREATE TABLE large (id INT, v ${type})`);
      for (const row of rows) await db.admin.query(`INSERT INTO large VALUES ${row}`);
      const [[sizes]] = (await db.admin.query('SELECT MIN(LENGTH(v)) AS least FROM large')) as unknown as [
        { least: number }[],
      ];
      expect(sizes!.least).toBeGreaterThan(16_700_000);
      await runBundle('mysql', { ...sourceEnv(db.name), MYSQL_TABLES: 'large' }, ({ exitCode, output, peakRss }) => {
        expect({ exitCode, output }).toMatchObject({
          exitCode: 0,
          output: { result: { large: { registros: rows.length } } },
        });
        expect(peakRss / 1e6).toBeGreaterThan(32);
        expect(peakRss / 1e6).toBeLessThan(256);
      });
    },
    300_000,
  );

  it('brings a single value of 32 MiB', async () => {
    await db.admin.query(
      "CREATE TABLE huge (id INT, t LONGTEXT); INSERT INTO huge VALUES (1, REPEAT('0123456789abcde,', 2097152))",
    );
    const opened = await db.open();
    const rows = await opened.rows('huge');
    await opened.session.close();
    expect(rows[0]![1]!.length).toBe(32 * 2 ** 20);
    expect(rows[0]![1]!.slice(-32)).toBe('0123456789abcde,0123456789abcde,');
  });

  it('that is empty is a header alone', async () => {
    await db.admin.query('CREATE TABLE nobody (id INT, `a,b` INT)');
    const opened = await db.open();
    expect(await opened.csv(opened.select('nobody'))).toBe('id,"a,b"\n');
    await opened.session.close();
  });
});
