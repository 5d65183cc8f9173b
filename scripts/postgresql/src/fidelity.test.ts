import fc from 'fast-check';
import { describeWith } from '../../../test/services/need';
import { exportTable, TestDatabase } from './test-database';

/** A type, how its CSV text becomes a value again (`$` is the text), and SQL literals of values worth a try. */
interface TypeCase {
  type: string;
  back?: string;
  values: string[];
}

const text = (type: string, ...values: string[]): TypeCase => ({ type, values });
/** `json_populate_record` reads what `to_json` wrote, for arrays of any dimension and composites. */
const nested = (type: string, ...values: string[]): TypeCase => ({
  type,
  back: `(SELECT r.v FROM json_to_record(json_build_object('v', $::json)) AS r (v ${type}))`,
  values,
});

const AWKWARD = String.raw`E'a,b\n"c"\r\n\\N \\. \t ñ 🐘 \u200b\ufeff'`;

const CASES: TypeCase[] = [
  text('boolean', 'true', 'false'),
  text('smallint', '-32768', '32767', '0'),
  text('integer', '-2147483648', '2147483647'),
  text('bigint', '-9223372036854775808', '9223372036854775807'),
  text('numeric', "'NaN'", '0.10', '-0.000000000000000000001', `${'9'.repeat(200)}.${'1'.repeat(200)}`),
  text('numeric(10,2)', '99999999.99', '-1.50'),
  text('real', "'NaN'", "'Infinity'", "'-Infinity'", '1.1', '3.4028235e38', '1e-45', "'-0'"),
  text('double precision', "'NaN'", "'-Infinity'", '0.1', '1.7976931348623157e308', '5e-324', '123456789.12345679'),
  { type: 'money', back: '$::numeric::money', values: ['1234.5', "'-92233720368547758.08'", "'92233720368547758.07'"] },
  text('text', "''", AWKWARD, "'\\.'", "' '", "'NULL'", "'\"'", 'E"\\n"'.replaceAll('"', "'")),
  text('varchar(10)', "'á'", "''"),
  text('char(5)', "'ab'", "''"),
  text('"char"', "'x'", "''"),
  text('name', "'n'"),
  {
    type: 'bytea',
    back: "decode($, 'hex')",
    values: ["'\\x'", "'\\x00ff5c78220a'", "decode(repeat('0a2c22', 5000), 'hex')"],
  },
  text('date', "'2025-01-02'", "'infinity'", "'-infinity'", "'0044-03-15 BC'", "'5874897-12-31'", "'4713-01-01 BC'"),
  text('time', "'00:00'", "'24:00:00'", "'15:30:45.123456'"),
  text('timetz', "'15:30:45.123456+05:30'", "'00:00-15:59:59'"),
  text('timestamp', "'2025-01-02 15:30:45.123456'", "'2025-01-02'", "'infinity'", "'294276-12-31 23:59:59.999999'"),
  text('timestamptz', "'2025-01-02 15:30:45.1+05:45'", "'-infinity'", "'0044-03-15 00:00:00+00 BC'"),
  text('timestamptz(0)', "'2025-06-30 23:59:59-11'"),
  text('interval', "'1 year -2 mons 3 days -04:05:06.789'", "'0'", "'-178000000 years'", "'0.000001 s'"),
  text('uuid', "'00000000-0000-0000-0000-000000000000'", "'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'"),
  text('jsonb', "'null'", '\'{"a": [1.10, 1e3, "x,\\"y", null, {}], "": ""}\'', "'12345678901234567890.0123456789'"),
  text('json', '\'{"b":1,"a":2,"b":3}\'', '\'"\\u0041"\''),
  text('xml', '\'<a b="1">x, y</a>\'', "''"),
  text('inet', "'10.0.0.1/8'", "'::1'"),
  text('cidr', "'10.0.0.0/8'"),
  text('macaddr', "'08:00:2b:01:02:03'"),
  text('macaddr8', "'08:00:2b:01:02:03:04:05'"),
  text('bit(3)', "B'101'"),
  text('varbit', "B''", "B'10101'"),
  text('tsvector', `'a:1A fat:2,3 ''it''''s'':4'`),
  text('tsquery', "'fat & (rat | !cat)'"),
  text('point', "'(0.1,-1e300)'"),
  text('line', "'{1,2,3}'"),
  text('lseg', "'[(0,0),(1,1.5)]'"),
  text('box', "'(1,1),(0,0)'"),
  text('path', "'[(0,0),(1,1)]'", "'((0,0),(1,1))'"),
  text('polygon', "'((0,0),(1,1),(2,0))'"),
  text('circle', "'<(0,0),1.5>'"),
  text('int4range', "'[1,5)'", "'empty'", "'(,)'"),
  text('numrange', "'[1.10,2.20]'"),
  text('tstzrange', "'[2025-01-01 00:00+02,infinity)'"),
  text('oid', '4294967295'),
  text('pg_lsn', "'FFFFFFFF/FFFFFFFF'"),
  text('regclass', "'pg_class'"),
  text('jsonpath', "'$.a[*] ? (@ > 1)'"),
  text('public.animo', '\'feliz, "muy"\'', "''"),
  text('public.correo', "'a@b'"),
  nested('int[]', "'{}'", "'{1,NULL,-3}'", "'{{1,2},{3,4}}'"),
  nested('bigint[]', "'{-9223372036854775808,9007199254740993}'"),
  nested('numeric[]', "'{1.10,NaN,123456789012345678901234567890.123456789}'"),
  nested('double precision[]', "'{0.1,NaN,-Infinity,5e-324,-0}'"),
  nested('text[]', `ARRAY['', NULL, 'NULL', ${AWKWARD}]`),
  nested('bytea[]', String.raw`ARRAY['\x00ff'::bytea, '\x', NULL]`),
  nested('boolean[]', "'{t,f,NULL}'"),
  nested('timestamptz[]', "'{2025-01-02 15:30:45.123456+05,infinity,0044-03-15 00:00:00+00 BC}'"),
  nested('timestamp[]', "'{2025-01-02 15:30:45.123456,-infinity}'"),
  nested('date[]', "'{2025-01-02,infinity,0044-03-15 BC}'"),
  nested('interval[]', "'{1 year -2 mons 3 days -04:05:06.789}'"),
  nested('uuid[]', "'{00000000-0000-0000-0000-000000000000}'"),
  nested('jsonb[]', `ARRAY['{"a": 1.10}'::jsonb, NULL]`),
  nested('money[]', "ARRAY['1234.50'::money, NULL]"),
  nested('public.animo[]', "ARRAY['feliz, \"muy\"', '']::public.animo[]"),
  nested(
    'public.direccion',
    "ROW('a,\"b\"', 1.10, NULL, '2025-01-02 00:00:00.5+00', 'NaN', '{1,2}')",
    'ROW(NULL,NULL,NULL,NULL,NULL,NULL)',
  ),
  nested('public.direccion[]', "ARRAY[ROW('', 0, '\\x00', NULL, 0.1, NULL)::public.direccion, NULL]"),
];

describeWith(['postgresql'], 'PostgreSQL: every type equals its source after a reload', () => {
  let db: TestDatabase;
  const cases = [...CASES];

  beforeAll(async () => {
    db = await TestDatabase.create();
    await db.admin.query(`
      CREATE TYPE animo AS ENUM ('feliz, "muy"', '');
      CREATE DOMAIN correo AS text CHECK (VALUE ~ '@');
      CREATE TYPE direccion AS (calle text, n numeric, b bytea, t timestamptz, f float8, l int[])`);
    const there = await db.admin.query(
      "SELECT name FROM pg_available_extensions WHERE name IN ('hstore', 'citext', 'ltree')",
    );
    for (const { name } of there.rows) await db.admin.query(`CREATE EXTENSION ${name}`);
    const has = (name: string) => there.rows.some((row) => row.name === name);
    if (has('citext')) cases.push(text('citext', "'ABC'"));
    if (has('ltree')) cases.push(text('ltree', "'a.b.c'"));
    if (has('hstore')) {
      const back = "(SELECT coalesce(hstore(array_agg(key), array_agg(value)), '') FROM json_each_text($::json))";
      cases.push({ type: 'hstore', back, values: [`'"a,b"=>"\\"x\\"", n=>NULL, e=>""'`, "''"] });
    }
  });
  afterAll(() => db.drop());

  /** Exports `origen`, loads the CSV with COPY into text columns and from there into `copia`. */
  async function reload(columns: readonly TypeCase[]) {
    const names = columns.map((_, i) => `c${i}`);
    const result = await exportTable(db.env, 'origen');
    await db.admin.query(`
      CREATE TABLE crudo (id text, ${names.map((name) => `${name} text`).join(', ')});
      CREATE TABLE copia (LIKE origen)`);
    await db.copyIn('crudo', result.csv);
    const back = columns.map(({ type, back }, i) =>
      back ? `CASE WHEN c${i} IS NOT NULL THEN ${back.replaceAll('$', `c${i}`)} END` : `c${i}::${type}`,
    );
    await db.admin.query(`INSERT INTO copia SELECT ${['id::int', ...back].join(', ')} FROM crudo`);
    return result;
  }

  it('min, max, NULL, empty, awkward text, zones, precision', async () => {
    const rows = Math.max(...cases.map(({ values }) => values.length)) + 1;
    await db.admin.query(`CREATE TABLE origen (id int, ${cases.map(({ type }, i) => `c${i} ${type}`).join(', ')})`);
    for (let id = 0; id < rows; id++) {
      // The last row is all NULL.
      const values = cases.map(({ values, type }) => `CAST(${values[id] ?? 'NULL'} AS ${type})`);
      await db.admin.query(`INSERT INTO origen SELECT ${[id, ...values].join(', ')}`);
    }
    const { csv, rows: counted, warnings } = await reload(cases);
    expect(counted).toBe(rows);
    for (const [i, { type }] of cases.entries()) {
      const different = await db.admin.query(`
        SELECT o.id, o.c${i}::text AS source, c.c${i}::text AS copy FROM origen o FULL JOIN copia c USING (id)
        WHERE o.c${i}::text IS DISTINCT FROM c.c${i}::text`);
      expect({ type, different: different.rows }).toEqual({ type, different: [] });
    }
    const both = await db.admin.query(`
      (SELECT o::text FROM origen o EXCEPT ALL SELECT c::text FROM copia c)
      UNION ALL (SELECT c::text FROM copia c EXCEPT ALL SELECT o::text FROM origen o)`);
    expect(both.rows).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/^Table origen: 9 values without ISO form in columns c\d+(, c\d+){2}$/),
    ]);
    expect(csv.includes('"{""b"":1,""a"":2,""b"":3}"')).toBe(true);
    await db.admin.query('DROP TABLE origen, crudo, copia');
  });

  it('prints values as the contract says', async () => {
    await db.admin.query(`CREATE TABLE formas AS SELECT
      true AS b, 1.50::numeric AS n, '2025-01-02 15:30:45.123456'::timestamp AS ts,
      '2025-01-02 15:30:45.123456+02'::timestamptz AS tz, '1 day 02:00'::interval AS i, '\\x00FF'::bytea AS h,
      ''::bytea AS e, '{ "a" : [ 1 , 2 ] }'::json AS j, '$1,234.50'::money AS m, NULL::text AS nada, ''::text AS t,
      ARRAY[[1.10, NULL]] AS a`);
    const { csv } = await exportTable(db.env, 'formas');
    expect(csv.toString().split('\n')).toEqual([
      'b,n,ts,tz,i,h,e,j,m,nada,t,a',
      'true,1.50,2025-01-02 15:30:45.123456,2025-01-02 13:30:45.123456+00,P1DT2H,00ff,"","{""a"":[1,2]}",1234.50,,"","[[1.10,null]]"',
      '',
    ]);
  });

  it('does not depend on the settings of the role or database', async () => {
    await db.admin.query(`
      ALTER DATABASE ${db.name} SET DateStyle = 'German'; ALTER DATABASE ${db.name} SET TimeZone = 'Asia/Tokyo';
      ALTER DATABASE ${db.name} SET IntervalStyle = 'sql_standard'; ALTER DATABASE ${db.name} SET bytea_output = 'escape';
      ALTER DATABASE ${db.name} SET extra_float_digits = -15; ALTER DATABASE ${db.name} SET client_encoding = 'LATIN1';
      CREATE TABLE ajustes AS SELECT '2025-01-02 00:00+00'::timestamptz AS t, date '2025-01-02' AS d,
        interval '1 year 2 s' AS i, '\\x01'::bytea AS b, 0.1::float8 + 0.2::float8 AS f, '🐘' AS e`);
    const { csv } = await exportTable(db.env, 'ajustes');
    expect(csv.toString()).toBe('t,d,i,b,f,e\n2025-01-02 00:00:00+00,2025-01-02,P1YT2S,01,0.30000000000000004,🐘\n');
    await db.admin.query(`ALTER DATABASE ${db.name} RESET ALL`);
  });

  it('any text, any array of texts', async () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', ''));
    const sharp = fc
      .array(fc.constantFrom('"', ',', '\n', '\r', '\\', '.', 'N', '', '{', '}', ' '))
      .map((s) => s.join(''));
    const value = fc.option(fc.oneof(anyText, sharp));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(value, fc.option(fc.array(value))), { minLength: 1 }), async (rows) => {
        await db.admin.query(
          'DROP TABLE IF EXISTS origen, crudo, copia; CREATE TABLE origen (id int, c0 text, c1 text[])',
        );
        for (const [id, [one, many]] of rows.entries()) {
          await db.admin.query('INSERT INTO origen VALUES ($1, $2, $3)', [id, one, many]);
        }
        await reload([text('text'), nested('text[]')]);
        const different = await db.admin.query(
          'SELECT FROM origen o FULL JOIN copia c USING (id) WHERE o IS DISTINCT FROM c',
        );
        return different.rowCount === 0;
      }),
      { numRuns: 40 },
    );
  });

  it('one value of 32 MiB, full of quotes', async () => {
    await db.admin.query(
      `CREATE TABLE enorme AS SELECT 1 AS id, repeat('"áb,' || chr(10), 32 * 1024 * 1024 / 6) AS t, 2 AS z`,
    );
    const { csv, rows } = await exportTable(db.env, 'enorme');
    expect(rows).toBe(1);
    const expected = Buffer.from(`id,t,z\n1,"${'""áb,\n'.repeat(Math.floor((32 * 1024 * 1024) / 6))}",2\n`);
    expect(csv.equals(expected)).toBe(true);
  });
});
