import fc from 'fast-check';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import { describeWith } from '../../../test/services/need';
import { canonical, rebuild, withoutEmpty } from './testing/rebuild';
import { exportCollection, TestDatabase } from './testing/test-database';

const AWKWARD = [
  '',
  ' ',
  'a,b',
  '"',
  '""',
  'x\ny',
  'x\r\ny',
  '\\.',
  '\\',
  'ñandú 🐫 漢字',
  '\u0000\u0001\u001f\u007f\u2028',
  '{"a":1}',
  '  z ',
];
const DOUBLES = [
  0,
  -0,
  1,
  0.1,
  1 / 3,
  1e21,
  1e300,
  5e-324,
  Number.MAX_VALUE,
  -1.5,
  2 ** 53,
  Number.NaN,
  Infinity,
  -Infinity,
];
const LONGS = [
  '9223372036854775807',
  '-9223372036854775808',
  '0',
  '-1',
  '9007199254740993',
  '-9007199254740993',
  '4294967296',
];
const DECIMALS = [
  '0',
  '-0',
  '1.10',
  '9.999999999999999999999999999999999E+6144',
  '1E-6176',
  'NaN',
  'Infinity',
  '-Infinity',
  '123456789.123456789',
];
const DATES = [0, 1, -1, 1_735_831_845_123, -62_135_596_800_000, 253_402_300_799_999, 1_709_164_799_999];
const FAR_DATES = [253_402_300_800_000, -62_135_596_800_001, 8_640_000_000_000_000];

/** One list of values for each type: a collection of its own. */
const TYPES: Record<string, unknown[]> = {
  text: AWKWARD,
  double: DOUBLES.map((n) => new Double(n)),
  int: [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)].map((n) => new Int32(n)),
  long: LONGS.map((n) => Long.fromString(n)),
  integers: [new Int32(7), ...LONGS.map((n) => Long.fromString(n))],
  decimal: DECIMALS.map((n) => Decimal128.fromString(n)),
  bool: [true, false],
  date: DATES.map((n) => new Date(n)),
  farDate: [...DATES, ...FAR_DATES].map((n) => new Date(n)),
  objectId: [new ObjectId(), new ObjectId('000000000000000000000000')],
  uuid: [new UUID(), new UUID('00000000-0000-0000-0000-000000000000')],
  binary: ['', '00', 'ff00ff', '2c220a'].map((hex) => new Binary(Buffer.from(hex, 'hex'))),
  document: [
    {},
    { a: 1 },
    { a: { b: [{ c: 'x"y' }, [], [[1, [2]]]] }, '': 'e', 'p.q': 1, $d: 2 },
    { t: new Date(5), o: new ObjectId() },
  ],
  array: [
    [],
    [1, 'dos', null, 2.5, new Double(3), Long.fromString(LONGS[0]!)],
    [[[]]],
    [Decimal128.fromString('1.0'), Number.NaN],
  ],
  regex: [new BSONRegExp('a"/\\d+', 'i'), new BSONRegExp('', '')],
  timestamp: [new Timestamp({ t: 1, i: 2 }), new Timestamp({ t: 4294967295, i: 4294967295 })],
  code: [new Code('function () { return "x"; }'), new Code('f', { a: 1 })],
  keys: [new MinKey(), new MaxKey(), new BSONSymbol('símbolo')],
  mixed: [
    1,
    'uno',
    '',
    true,
    new Date(1e12),
    new ObjectId(),
    { a: null },
    [1],
    new Double(1),
    new UUID(),
    new Binary(Buffer.from('ab'), 128),
    Decimal128.fromString('1E+3'),
  ],
};

describeWith(['mongodb'], 'MongoDB: every value survives', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db?.drop());

  async function expectSame(name: string, documents: Record<string, unknown>[]) {
    const { records, selection, rows, consistency } = await exportCollection(db.env, name);
    expect(consistency).toBe('snapshot');
    expect(rows).toBe(documents.length);
    const same = (all: Record<string, unknown>[]) =>
      all
        .map((one) =>
          canonical(Object.fromEntries(Object.entries(withoutEmpty(one)).sort(([a], [b]) => (a < b ? -1 : 1)))),
        )
        .sort();
    expect(same(rebuild(selection.columns, records))).toEqual(same(documents));
  }

  it.each(Object.keys(TYPES))('%s', async (type) => {
    const values = [...TYPES[type]!, null];
    const documents: Record<string, unknown>[] = values.map((v, i) => ({ _id: new Int32(i), v, after: 'x' }));
    documents.push({ _id: new Int32(values.length) });
    await db.insert(type, documents);
    await expectSame(type, documents);
  });

  it('numbers of several types keep every digit', async () => {
    const long = Long.fromString('9007199254740993');
    await db.insert('numeros', [
      { _id: 1, a: new Int32(1), b: new Int32(1) },
      { _id: 2, a: new Double(2.5), b: long },
      { _id: 3, b: new Double(0.1) },
      { _id: 4, b: Decimal128.fromString('1.10') },
    ]);
    const { csv, selection } = await exportCollection(db.env, 'numeros');
    expect(selection.columns.map(({ logical_type, source_type }) => [logical_type, source_type])).toEqual([
      ['integer', 'int'],
      ['float', 'double|int'],
      ['decimal', 'decimal|double|int|long'],
    ]);
    expect(csv.toString()).toBe('_id,a,b\n1,1,1\n2,2.5,9007199254740993\n3,,0.1\n4,,1.10\n');
  });

  it('the formats are those of the contract', async () => {
    await db.insert('formatos', [
      {
        _id: new ObjectId('507f1f77bcf86cd799439011'),
        a: '',
        b: null,
        c: new Date('2025-01-02T15:30:45.123Z'),
        d: new Binary(Buffer.from('DEAD', 'hex')),
        e: true,
        f: { n: new Date('2025-01-02T15:30:45Z'), x: 1.0 },
        g: new Binary(Buffer.from('ab', 'hex'), 5),
      },
    ]);
    const { csv, warnings } = await exportCollection(db.env, 'formatos');
    expect(csv.toString()).toBe(
      '_id,a,b,c,d,e,f,g\n' +
        '507f1f77bcf86cd799439011,"",,2025-01-02 15:30:45.123+00,dead,true,' +
        '"{""n"":{""$date"":""2025-01-02T15:30:45Z""},""x"":1}",ab\n',
    );
    expect(warnings).toEqual([expect.stringContaining('g lost their subtype (5)')]);
  });

  it('random documents', async () => {
    let n = 0;
    const scalar = fc.oneof(
      fc.string({ unit: 'grapheme' }).map((s) => s.replaceAll('\0', '')),
      fc.integer().map((i) => new Int32(i)),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((i) => Long.fromBigInt(i)),
      fc.double().map((d) => new Double(d)),
      fc.boolean(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => new Binary(bytes)),
      fc.constant(null),
    );
    const key = fc
      .string({ minLength: 1, maxLength: 6 })
      .filter((k) => !/[$.\0]/.test(k) && k !== '__proto__' && k !== '_id');
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        scalar,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 3 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(key, value, { maxKeys: 5 }), { minLength: 1, maxLength: 8 }),
        async (all) => {
          const name = `azar_${n++}`;
          const documents = all.map((one, i) => ({ _id: new Int32(i), ...one }));
          await db.insert(name, documents);
          try {
            const sensitive = /pwd|salt|token|secret|hash|clave/i;
            if (!sensitive.test(JSON.stringify(documents))) await expectSameNumbers(name, documents);
          } finally {
            await db.db.collection(name).drop();
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('names of every kind, and 1,000 fields', async () => {
    const names = [
      'Con espacio',
      'comillas "',
      "'",
      'ñ 漢 🐫',
      'MAYÚSCULAS',
      'select',
      'a,b',
      'l\nn',
      '0',
      '1',
      'a.b',
      '$c',
      '',
    ];
    const all = [...names, ...Array.from({ length: 1_000 - names.length - 1 }, (_, i) => `campo_${i}`)];
    const documents = Array.from({ length: 30 }, (_, i) => {
      const fields = all.map((name, j) => [name, (i + j) % 7 === 0 ? `v${i}` : new Int32(i * j)] as const);
      return { _id: new Int32(i), ...Object.fromEntries(fields.filter((_, j) => (i + j) % 5 !== 0)) };
    });
    await db.insert('ancha', documents);
    const { selection } = await exportCollection(db.env, 'ancha');
    expect(selection.columns).toHaveLength(1_000);
    await expectSame('ancha', documents);
  });

  it('random schemas: each field of one type, rebuilt by the manifest', async () => {
    const kinds: fc.Arbitrary<unknown>[] = [
      fc.string({ unit: 'grapheme' }).map((s) => s.replaceAll('\0', '')),
      fc.integer().map((i) => new Int32(i)),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((i) => Long.fromBigInt(i)),
      fc.double().map((d) => new Double(d)),
      fc.boolean(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => new Binary(bytes)),
      fc.uuid().map((text) => new UUID(text)),
      fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
      fc
        .tuple(fc.bigInt({ min: -(10n ** 34n) + 1n, max: 10n ** 34n - 1n }), fc.integer({ min: -40, max: 40 }))
        .map(([n, e]) => Decimal128.fromString(`${n}E${e}`)),
      fc.array(
        fc.integer().map((i) => new Int32(i)),
        { maxLength: 3 },
      ),
      fc
        .tuple(fc.integer(), fc.string({ maxLength: 4 }))
        .map(([x, y]) => ({ x: new Int32(x), y: y.replaceAll('\0', '') })),
    ];
    const schema = fc.array(fc.nat({ max: kinds.length - 1 }), { minLength: 1, maxLength: 12 });
    const tables = schema.chain((fields) =>
      fc.array(fc.tuple(...fields.map((kind) => fc.option(kinds[kind]!))), { minLength: 1, maxLength: 8 }),
    );
    let n = 0;
    await fc.assert(
      fc.asyncProperty(tables, async (rows) => {
        const name = `esquema_${n++}`;
        const documents = rows.map((row, i) => ({
          _id: new Int32(i),
          ...Object.fromEntries(row.map((value, j) => [`c${j}`, value])),
        }));
        await db.insert(name, documents);
        await expectSame(name, documents);
        await db.db.collection(name).drop();
      }),
      { numRuns: 40 },
    );
  });

  /** As `expectSame`, with numbers of a column of several number types compared by their text. */
  async function expectSameNumbers(name: string, documents: Record<string, unknown>[]) {
    const { records, selection } = await exportCollection(db.env, name);
    const merged = selection.columns.filter(({ source_type }) => /\|/.test(source_type));
    const numbers = merged.filter(({ logical_type }) => logical_type !== 'json').map((column) => column.name);
    const prepared = (one: Record<string, unknown>) =>
      Object.entries(withoutEmpty(one))
        .map(([k, v]) => `${k} ${numbers.includes(k) ? textOf(v) : canonical(v)}`)
        .sort();
    expect(rebuild(selection.columns, records).map(prepared)).toEqual(documents.map(prepared));
  }
  const textOf = (v: unknown) => {
    const number = v instanceof Double || v instanceof Int32 ? v.valueOf() : v;
    return Object.is(number, -0) ? '-0' : String(number);
  };
});
