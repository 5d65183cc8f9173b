import fc from 'fast-check';
import { describeWith } from '../../../test/services/need';
import { exportTable, TestDatabase } from './test-database';
import { differences, reload } from './testing/reload';

/** A type, and SQL literals of values worth a try. */
interface TypeCase {
  type: string;
  values: string[];
}

const of = (type: string, ...values: string[]): TypeCase => ({ type, values });

const AWKWARD = String.raw`E'a,b\n"c"\r\n\\N \\. \t ñ 🐘 \u200b\ufeff'`;

const CASES: TypeCase[] = [
  of('boolean', 'true', 'false'),
  of('smallint', '-32768', '32767', '0'),
  of('integer', '-2147483648', '2147483647'),
  of('bigint', '-9223372036854775808', '9223372036854775807'),
  of('numeric', "'NaN'", '0.10', '-0.000000000000000000001', `${'9'.repeat(200)}.${'1'.repeat(200)}`),
  of('numeric(10,2)', '99999999.99', '-1.50'),
  of('real', "'NaN'", "'Infinity'", "'-Infinity'", '1.1', '3.4028235e38', '1e-45', "'-0'"),
  of('double precision', "'NaN'", "'-Infinity'", '0.1', '1.7976931348623157e308', '5e-324', '123456789.12345679'),
  of('money', '1234.5', "'-92233720368547758.08'", "'92233720368547758.07'"),
  of('text', "''", AWKWARD, "'\\.'", "' '", "'NULL'", "'\"'", 'E"\\n"'.replaceAll('"', "'")),
  of('varchar(10)', "'á'", "''"),
  of('char(5)', "'ab'", "''"),
  of('"char"', "'x'", "''"),
  of('name', "'n'"),
  of('bytea', "'\\x'", "'\\x00ff5c78220a'", "decode(repeat('0a2c22', 5000), 'hex')"),
  of('date', "'2025-01-02'", "'infinity'", "'-infinity'", "'0044-03-15 BC'", "'5874897-12-31'", "'4713-01-01 BC'"),
  of('time', "'00:00'", "'24:00:00'", "'15:30:45.123456'"),
  of('timetz', "'15:30:45.123456+05:30'", "'00:00-15:59:59'"),
  of('timestamp', "'2025-01-02 15:30:45.123456'", "'2025-01-02'", "'infinity'", "'294276-12-31 23:59:59.999999'"),
  of('timestamptz', "'2025-01-02 15:30:45.1+05:45'", "'-infinity'", "'0044-03-15 00:00:00+00 BC'"),
  of('timestamptz(0)', "'2025-06-30 23:59:59-11'"),
  of('interval', "'1 year -2 mons 3 days -04:05:06.789'", "'0'", "'-178000000 years'", "'0.000001 s'"),
  of('uuid', "'00000000-0000-0000-0000-000000000000'", "'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'"),
  of('jsonb', "'null'", '\'{"a": [1.10, 1e3, "x,\\"y", null, {}], "": ""}\'', "'12345678901234567890.0123456789'"),
  of('json', '\'{"b":1,"a":2,"b":3}\'', '\'"\\u0041"\''),
  of('xml', '\'<a b="1">x, y</a>\'', "''"),
  of('inet', "'10.0.0.1/8'", "'::1'"),
  of('cidr', "'10.0.0.0/8'"),
  of('macaddr', "'08:00:2b:01:02:03'"),
  of('macaddr8', "'08:00:2b:01:02:03:04:05'"),
  of('bit(3)', "B'101'"),
  of('varbit', "B''", "B'10101'"),
  of('tsvector', `'a:1A fat:2,3 ''it''''s'':4'`),
  of('tsquery', "'fat & (rat | !cat)'"),
  of('point', "'(0.1,-1e300)'"),
  of('line', "'{1,2,3}'"),
  of('lseg', "'[(0,0),(1,1.5)]'"),
  of('box', "'(1,1),(0,0)'"),
  of('path', "'[(0,0),(1,1)]'", "'((0,0),(1,1))'"),
  of('polygon', "'((0,0),(1,1),(2,0))'"),
  of('circle', "'<(0,0),1.5>'"),
  of('int4range', "'[1,5)'", "'empty'", "'(,)'"),
  of('numrange', "'[1.10,2.20]'"),
  of('tstzrange', "'[2025-01-01 00:00+02,infinity)'"),
  of('oid', '4294967295'),
  of('pg_lsn', "'FFFFFFFF/FFFFFFFF'"),
  of('regclass', "'pg_class'"),
  of('jsonpath', "'$.a[*] ? (@ > 1)'"),
  of('public.animo', '\'feliz, "muy"\'', "''"),
  of('public.correo', "'a@b'"),
  of('int[]', "'{}'", "'{1,NULL,-3}'", "'{{1,2},{3,4}}'"),
  of('bigint[]', "'{-9223372036854775808,9007199254740993}'"),
  of('numeric[]', "'{1.10,NaN,123456789012345678901234567890.123456789}'"),
  of('double precision[]', "'{0.1,NaN,-Infinity,5e-324,-0}'"),
  of('text[]', `ARRAY['', NULL, 'NULL', ${AWKWARD}]`),
  of('bytea[]', String.raw`ARRAY['\x00ff'::bytea, '\x', NULL]`),
  of('boolean[]', "'{t,f,NULL}'"),
  of('timestamptz[]', "'{2025-01-02 15:30:45.123456+05,infinity,0044-03-15 00:00:00+00 BC}'"),
  of('timestamp[]', "'{2025-01-02 15:30:45.123456,-infinity}'"),
  of('date[]', "'{2025-01-02,infinity,0044-03-15 BC}'"),
  of('interval[]', "'{1 year -2 mons 3 days -04:05:06.789}'"),
  of('uuid[]', "'{00000000-0000-0000-0000-000000000000}'"),
  of('jsonb[]', `ARRAY['{"a": 1.10}'::jsonb, NULL]`),
  of('money[]', "ARRAY['1234.50'::money, NULL]"),
  of('public.animo[]', "ARRAY['feliz, \"muy\"', '']::public.animo[]"),
  of(
    'public.direccion',
    "ROW('a,\"b\"', 1.10, NULL, '2025-01-02 00:00:00.5+00', 'NaN', '{1,2}')",
    'ROW(NULL,NULL,NULL,NULL,NULL,NULL)',
  ),
  of('public.direccion[]', "ARRAY[ROW('', 0, '\\x00', NULL, 0.1, NULL)::public.direccion, NULL]"),
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
    if (has('citext')) cases.push(of('citext', "'ABC'"));
    if (has('ltree')) cases.push(of('ltree', "'a.b.c'"));
    if (has('hstore')) cases.push(of('hstore', `'"a,b"=>"\\"x\\"", n=>NULL, e=>""'`, "''"));
  });
  afterAll(() => db.drop());

  it('min, max, NULL, empty, awkward text, zones, precision', async () => {
    const rows = Math.max(...cases.map(({ values }) => values.length)) + 1;
    await db.admin.query(`CREATE TABLE origen (id int, ${cases.map(({ type }, i) => `c${i} ${type}`).join(', ')})`);
    for (let id = 0; id < rows; id++) {
      // The last row is all NULL.
      const values = cases.map(({ values, type }) => `CAST(${values[id] ?? 'NULL'} AS ${type})`);
      await db.admin.query(`INSERT INTO origen SELECT ${[id, ...values].join(', ')}`);
    }
    const { csv, rows: counted, warnings, columns } = await exportTable(db.env, 'origen');
    expect(counted).toBe(rows);
    await reload(db, 'copia', columns, csv);
    for (const [i, { type }] of cases.entries()) {
      const different = await db.admin.query(`
        SELECT o.id, o.c${i}::text AS source, c.c${i}::text AS copy FROM origen o FULL JOIN copia c USING (id)
        WHERE o.c${i}::text IS DISTINCT FROM c.c${i}::text`);
      expect({ type, different: different.rows }).toEqual({ type, different: [] });
    }
    expect(await differences(db, 'origen', 'copia')).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/^Table origen: 9 values without ISO form in columns c\d+(, c\d+){2}$/),
    ]);
    expect(csv.includes('"{""b"":1,""a"":2,""b"":3}"')).toBe(true);
    await db.admin.query('DROP TABLE origen, copia');
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
        await db.admin.query('DROP TABLE IF EXISTS origen, copia; CREATE TABLE origen (id int, c0 text, c1 text[])');
        for (const [id, [one, many]] of rows.entries()) {
          await db.admin.query('INSERT INTO origen VALUES ($1, $2, $3)', [id, one, many]);
        }
        const { columns, csv } = await exportTable(db.env, 'origen');
        await reload(db, 'copia', columns, csv);
        expect(await differences(db, 'origen', 'copia')).toEqual([]);
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
