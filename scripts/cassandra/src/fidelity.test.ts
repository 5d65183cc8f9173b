import { types } from 'cassandra-driver';
import fc from 'fast-check';
import { describeWith } from '../../../test/services/need';
import type { UserTypes } from './cql-type';
import { quoteName } from './names';
import { asJson, reload } from './testing/reload';
import { createTestKeyspace, type TestKeyspace } from './testing/test-keyspace';

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

/** The driver takes maps as objects, where this name is not a key like others. */
const KEY = fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__');

/** Column types, and CQL values for each besides NULL. */
const TYPES: Record<string, string[]> = {
  ascii: ["'abc'", "''", '\'a,"b"\''],
  text: ["'ñandú 😀'", "''", "'line\nline'"],
  bigint: ['-9223372036854775808', '9223372036854775807', '9007199254740993', '-9007199254740993', '0'],
  int: ['-2147483648', '2147483647'],
  smallint: ['-32768', '32767'],
  tinyint: ['-128', '127'],
  varint: [
    '0',
    '-1',
    '127',
    '128',
    '-128',
    '-129',
    '-140737488355328',
    '140737488355328',
    '123456789012345678901234567890123456789012345678901234567890',
    '-123456789012345678901234567890',
  ],
  decimal: [
    '0',
    '1.50',
    '-0.001',
    '0.10',
    '12345678901234567890.123456789012345678901234567890',
    '1E+30',
    '-15E+3',
    '1E-450',
    '0.00',
  ],
  double: [
    '-1.7976931348623157E308',
    '1.7976931348623157E308',
    '2.2250738585072014E-308',
    '4.9E-324',
    '0.30000000000000004',
    '-0.0',
    'NaN',
    'Infinity',
    '-Infinity',
    '1E21',
  ],
  float: [
    '1.1',
    '16777216',
    '3.4028235E38',
    '-3.4028235E38',
    '1.17549435E-38',
    '1.4E-45',
    '0.33333334',
    '123456.79',
    '8388609',
    '-0.0',
    'NaN',
    '-Infinity',
  ],
  boolean: ['true', 'false'],
  blob: ['0x', '0x00ff', '0x000a0d222c5cff'],
  date: ["'1970-01-01'", "'2024-02-29'", "'0001-01-01'", "'9999-12-31'", "'1969-12-31'"],
  time: ["'00:00:00'", "'23:59:59.999999999'", "'08:12:54.000000001'"],
  timestamp: ["'1970-01-01 00:00:00.000+0000'", "'2024-03-31T02:30:00.123+0200'", '-1', "'9999-12-31T23:59:59.999Z'"],
  duration: ['1y2mo3d4h5m6s7ms8us9ns', '-89h4m48s', '0s', '178956970y7mo', '2147483647d'],
  inet: ["'192.0.2.1'", "'2001:db8::ff00:42:8329'", "'::'", "'::1'", "'1:0:0:2::3'", "'2001:db8:0:1:1:1:1:1'"],
  uuid: ['123e4567-e89b-42d3-a456-426655440000', '00000000-0000-0000-0000-000000000000'],
  timeuuid: ['now()', 'd2177dd0-eaa2-11de-a572-001b779c76e3'],
  'list<text>': ["['a', '', 'b,\"c\"']", "['ñ\n']"],
  'set<bigint>': ['{9223372036854775807, -1}'],
  'map<text, int>': ["{'a': 1, 'ñ \"b\"': 2}"],
  'map<int, text>': ["{10: 'x', 2: 'y'}"],
  'map<timestamp, frozen<list<decimal>>>': ["{'2024-01-02 03:04:05.678+0000': [1.50, 2]}"],
  'map<frozen<list<int>>, text>': ["{[1, 2]: 'x', [3]: 'y'}"],
  'frozen<list<frozen<map<text, frozen<set<uuid>>>>>>': ["[{'k': {123e4567-e89b-42d3-a456-426655440000}}, {}]", '[]'],
  'tuple<int, text, boolean>': ["(1, 'x', true)", "(NULL, '', NULL)"],
  'frozen<tuple<blob, duration, float>>': ['(0x00ff, 12h30m, 1.1)'],
  address: [
    '{street: \'Calle "8"\', numbers: [1, 2], geo: (1.5, NULL)}',
    '{street: NULL, numbers: NULL, geo: (0.1, -0.0)}',
  ],
  'list<frozen<address>>': ["[{street: 'a', numbers: [], geo: NULL}]"],
  'frozen<"Odd Type">': ['{"SELECT": 1, "with space": \'x\'}'],
  'frozen<constructor>': ["{obra: 'La Molina'}"],
  'vector<float, 3>': ['[1.1, -0.5, 3.4028235E38]'],
  'vector<text, 2>': ["['a', 'ñandú']"],
  'vector<frozen<vector<int, 2>>, 2>': ['[[1, 2], [3, 4]]'],
};

const USER_TYPES: UserTypes = new Map([
  [
    'address',
    [
      { name: 'street', type: 'text' },
      { name: 'numbers', type: 'frozen<list<int>>' },
      { name: 'geo', type: 'frozen<tuple<double, double>>' },
    ],
  ],
  [
    'Odd Type',
    [
      { name: 'SELECT', type: 'int' },
      { name: 'with space', type: 'text' },
    ],
  ],
  ['constructor', [{ name: 'obra', type: 'text' }]],
]);

describeWith(['cassandra'], 'a Cassandra table', () => {
  let db: TestKeyspace;
  beforeAll(async () => {
    db = await createTestKeyspace();
    for (const [name, fields] of USER_TYPES) {
      const list = fields.map((field) => `${quoteName(field.name)} ${field.type}`).join(', ');
      await db.admin.execute(`CREATE TYPE ${quoteName(name)} (${list})`);
    }
  });
  afterAll(() => db?.drop());

  /** Exports `table`, rebuilds it from CSV and manifest, and compares the two as the server prints them. */
  async function roundTrip(table: string): Promise<(string | null)[][]> {
    const opened = await db.open();
    const { columns } = opened.select(table);
    const rows = await opened.rows(table);
    await opened.session.close();
    expect(opened.warnings).toEqual([]);
    await db.admin.execute('DROP TABLE IF EXISTS reloaded');
    await reload(db.admin, 'reloaded', columns, USER_TYPES, rows);
    expect(await asJson(db.admin, 'reloaded', columns)).toEqual(await asJson(db.admin, table, columns));
    const again = await db.open();
    const sorted = (records: (string | null)[][]) => records.map((record) => JSON.stringify(record)).sort();
    expect(sorted(await again.rows('reloaded'))).toEqual(sorted(rows));
    await again.session.close();
    return rows;
  }

  it('comes back equal from its CSV, whatever the type and the value', async () => {
    const definitions = Object.keys(TYPES).map((type, i) => `c${i} ${type}`);
    await db.admin.execute(`CREATE TABLE every (id int PRIMARY KEY, ${definitions.join(', ')})`);
    let id = 0;
    await db.admin.execute(`INSERT INTO every (id) VALUES (${id++})`);
    for (const [i, values] of Object.values(TYPES).entries()) {
      for (const value of values) {
        await db.admin.execute(`INSERT INTO every (id, c${i}) VALUES (${id++}, ${value})`);
      }
    }
    const rows = await roundTrip('every');
    expect(rows).toHaveLength(id);
    const nulls = rows.find((row) => row[0] === '0')!;
    expect(nulls.slice(1).every((value) => value === null)).toBe(true);
  });

  it('has the texts that the contract says', async () => {
    await db.admin.execute(`CREATE TABLE texts (id int PRIMARY KEY, a timestamp, b decimal, c float, d map<int, text>,
      e map<frozen<list<int>>, text>, f date, g time, h duration, i blob, j double, k timestamp, l date, m int)`);
    const values = `1, '2025-01-02 15:30:45.12+0000', 1.50, 0.1, {2: 'x'}, {[1]: 'y'}, '2025-01-02', '15:30:45.5',
      1mo2d3h, 0x00FF, -0.0, -9223372036854775808, 0, blobAsInt(0x)`;
    await db.admin.execute(`INSERT INTO texts (id, a, b, c, d, e, f, g, h, i, j, k, l, m) VALUES (${values})`);
    const opened = await db.open();
    expect(await opened.rows('texts')).toEqual([
      [
        '1',
        '2025-01-02 15:30:45.120+00',
        '1.50',
        '0.1',
        '{"2":"x"}',
        '[[[1],"y"]]',
        '2025-01-02',
        '15:30:45.500000000',
        '1mo2d3h',
        '00ff',
        '-0',
        '-292275055-05-16 16:47:04.192+00',
        '-5877641-06-23',
        '',
      ],
    ]);
    expect(opened.warnings).toEqual(['Table texts: dates outside the years 0000 to 9999, kept with a sign: k 1, l 1']);
    await opened.session.close();
  });

  it('keeps awkward text verbatim, in values and under awkward names', async () => {
    const names = ['with space', 'ñandú', 'UPPER', 'select', 'com,ma', 'quo"te', 'what?'];
    const columns = names.map((name) => `${quoteName(name)} text`).join(', ');
    await db.admin.execute(`CREATE TABLE "Order" (id int PRIMARY KEY, ${columns})`);
    const marks = names.map(() => '?').join(', ');
    const insert = `INSERT INTO "Order" (id, ${names.map(quoteName).join(', ')}) VALUES (?, ${marks})`;
    for (const [i, text] of AWKWARD.entries()) {
      await db.admin.execute(insert, [i, ...names.map(() => text)], { prepare: true });
    }
    const rows = await roundTrip('Order');
    const byId = rows.sort((a, b) => Number(a[0]) - Number(b[0]));
    expect(byId.map((row) => row[1])).toEqual(AWKWARD);
  });

  it('comes back equal for any text, number and bytes', async () => {
    await db.admin.execute(`CREATE TABLE anything (id int PRIMARY KEY, t text, n varint, d double, f float, b blob,
      m map<text, text>, s timestamp)`);
    const row = fc.tuple(
      fc.option(fc.string({ unit: 'grapheme' })),
      fc.option(fc.bigInt(-(2n ** 200n), 2n ** 200n)),
      fc.option(fc.double({ noNaN: true })),
      fc.option(fc.float({ noNaN: true })),
      fc.option(fc.uint8Array({ maxLength: 300 })),
      fc.option(fc.dictionary(KEY, fc.string({ unit: 'grapheme' }), { minKeys: 1, noNullPrototype: true })),
      fc.option(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
        await db.admin.execute('TRUNCATE anything');
        for (const [id, [t, n, d, f, b, m, s]] of rows.entries()) {
          const number = n === null ? null : types.Integer.fromString(String(n));
          const values = [id, t, number, d, f, b && Buffer.from(b), m, s];
          await db.admin.execute('INSERT INTO anything (id, t, n, d, f, b, m, s) VALUES (?,?,?,?,?,?,?,?)', values, {
            prepare: true,
          });
        }
        const opened = await db.open();
        const names = opened.select('anything').columns.map(({ name }) => name);
        const found = await opened.rows('anything');
        await opened.session.close();
        const byId = found.sort((x, y) => Number(x[0]) - Number(y[0]));
        expect(byId).toHaveLength(rows.length);
        for (const [id, [t, n, d, f, b, m, s]] of rows.entries()) {
          const field = (name: string) => byId[id]![names.indexOf(name)]!;
          expect(field('t')).toBe(t);
          expect(field('n')).toBe(n === null ? null : String(n));
          expect(field('d') === null ? null : Number(field('d'))).toBe(d);
          expect(field('f') === null ? null : Math.fround(Number(field('f')))).toBe(f);
          expect(field('b')).toBe(b && Buffer.from(b).toString('hex'));
          expect(field('m') === null ? null : Object.entries(JSON.parse(field('m')!)).sort()).toEqual(
            m && Object.entries(m).sort(),
          );
          expect(field('s')).toBe(s === null ? null : s.toISOString().replace('T', ' ').replace('Z', '+00'));
        }
      }),
      { numRuns: 12 },
    );
  });

  it('keeps clustering order within a partition, static columns, and partitions of nothing else', async () => {
    await db.admin.execute(`CREATE TABLE placed (z int, p text, c2 int, c1 int, s text static, a int, list list<int>,
      PRIMARY KEY ((z, p), c2, c1)) WITH CLUSTERING ORDER BY (c2 DESC)`);
    await db.admin.execute("INSERT INTO placed (z, p, s) VALUES (1, 'alone', 'x')");
    for (const c2 of [1, 2]) {
      await db.admin.execute(
        `INSERT INTO placed (z, p, c2, c1, s, a, list) VALUES (2, 'b', ${c2}, 0, 'st', ${c2}, [1])`,
      );
    }
    const opened = await db.open();
    const { columns } = opened.select('placed');
    expect(columns.map(({ name, nullable }) => [name, nullable])).toEqual([
      ['z', false],
      ['p', false],
      ['c2', true],
      ['c1', true],
      ['s', true],
      ['a', true],
      ['list', true],
    ]);
    const { columns: selected } = await db.admin.execute('SELECT * FROM placed');
    expect(columns.map(({ name }) => name)).toEqual(selected.map(({ name }) => name));
    const rows = await opened.rows('placed');
    expect(rows.filter((row) => row[0] === '1')).toEqual([['1', 'alone', null, null, 'x', null, null]]);
    expect(rows.filter((row) => row[0] === '2')).toEqual([
      ['2', 'b', '2', '0', 'st', '2', '[1]'],
      ['2', 'b', '1', '0', 'st', '1', '[1]'],
    ]);
    await opened.session.close();
  });

  it('may be of counters, or empty; views and indexes are none', async () => {
    await db.admin.execute('CREATE TABLE visits (page text PRIMARY KEY, n counter)');
    await db.admin.execute("UPDATE visits SET n = n + 9007199254740993 WHERE page = 'home'");
    await db.admin.execute('CREATE TABLE nobody (id int PRIMARY KEY, "a,b" int)');
    await db.admin.execute('CREATE INDEX ON nobody ("a,b")');
    const opened = await db.open();
    expect(await opened.rows('visits')).toEqual([['home', '9007199254740993']]);
    expect(await opened.csv(opened.select('nobody'))).toBe('id,"a,b"\n');
    expect(opened.tables.filter(({ name }) => name.startsWith('nobody'))).toHaveLength(1);
    expect(opened.session.consistency).toBe('none');
    await opened.session.close();
  });

  it('leaves without what is sensitive: columns, fields of types, keys of maps', async () => {
    await db.admin.execute('CREATE TYPE login (name text, password text)');
    await db.admin.execute(`CREATE TABLE people (id int PRIMARY KEY, password text, l frozen<login>,
      many list<frozen<login>>, m map<text, text>, deep map<text, frozen<login>>)`);
    const login = "{name: 'ana', password: 's3cret'}";
    await db.admin.execute(`INSERT INTO people (id, password, l, many, m, deep)
      VALUES (1, 's3cret', ${login}, [${login}], {'password': 's3cret', 'k': 'v'}, {'x': ${login}})`);
    const opened = await db.open();
    const seen: string[] = [];
    const selection = opened.select('people', ['id', 'l', 'many', 'm', 'deep'], (path) => {
      seen.push(path.join('/'));
      return path.at(-1) === 'password';
    });
    const csv = await opened.csv(selection);
    await opened.session.close();
    expect(csv).not.toContain('s3cret');
    expect(csv.split('\n')[1]).toBe(
      '1,"{""x"":{""name"":""ana""}}","{""name"":""ana""}","{""k"":""v""}","[{""name"":""ana""}]"',
    );
    expect(seen).toEqual(expect.arrayContaining(['deep/x/password', 'l/password', 'm/password', 'many/password']));
  });

  it('brings a single value of 16 MiB', async () => {
    await db.admin.execute('CREATE TABLE huge (id int PRIMARY KEY, t text)');
    const text = 'abcdefghijklmno,'.repeat(2 ** 20);
    await db.admin.execute('INSERT INTO huge (id, t) VALUES (1, ?)', [text], { prepare: true });
    const opened = await db.open();
    expect((await opened.rows('huge'))[0]![1]!.length).toBe(16 * 2 ** 20);
    await opened.session.close();
  });
});
