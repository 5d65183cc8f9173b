import fc from 'fast-check';
import type { Client } from 'pg';
import { describeWith } from '../../../test/services/need';
import { quoteIdentifier } from './identifiers';
import { exportTable, TestDatabase } from './test-database';
import { differences, reload } from './testing/reload';

const anyText = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\0', ''));
const bigint = (bits: bigint) => fc.bigInt({ min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n }).map(String);
const day = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString());
const decimal = fc.tuple(bigint(120n), fc.nat({ max: 30 })).map(([digits, scale]) => {
  const [, sign, rest] = /^(-?)(\d+)$/.exec(digits)!;
  const padded = rest!.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, padded.length - scale)}${scale > 0 ? `.${padded.slice(-scale)}` : ''}`;
});

/** Types with a generator of texts that they take. */
const TYPES: { type: string; text: fc.Arbitrary<string> }[] = [
  { type: 'boolean', text: fc.boolean().map(String) },
  { type: 'smallint', text: bigint(16n) },
  { type: 'integer', text: bigint(32n) },
  { type: 'bigint', text: bigint(64n) },
  { type: 'numeric', text: decimal },
  { type: 'real', text: fc.float().map((value) => (Object.is(value, -0) ? '-0' : String(value))) },
  { type: 'double precision', text: fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value))) },
  { type: 'text', text: anyText },
  { type: 'varchar(30)', text: anyText },
  {
    type: 'bytea',
    text: fc.uint8Array({ maxLength: 20 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  },
  { type: 'date', text: day.map((text) => text.slice(0, 10)) },
  { type: 'timestamp', text: day.map((text) => text.slice(0, 23).replace('T', ' ')) },
  { type: 'timestamptz', text: day },
  { type: 'time', text: fc.nat({ max: 86_399_999 }).map((ms) => new Date(ms).toISOString().slice(11, 23)) },
  {
    type: 'interval',
    text: fc
      .tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: -1e9, max: 1e9 }))
      .map(([d, ms]) => `${d} days ${ms} ms`),
  },
  { type: 'uuid', text: fc.uuid() },
  {
    type: 'jsonb',
    text: fc.json({ maxDepth: 3, noUnicodeString: true }).map((json) => json.replaceAll('\\u0000', '')),
  },
  { type: 'inet', text: fc.ipV4() },
];

const name = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
    fc.constantFrom('select', 'TABLE', 'con espacio', '"', '%s', 'a.b', 'ñ', 'ctid ', '🐘'),
  )
  .map((text) => text.replaceAll('\0', '') || 'x')
  // Sensitive words drop a column, and a name ends at 63 bytes.
  .filter(
    (text) =>
      Buffer.byteLength(text) <= 60 &&
      !/pwd|pass|secret|token|salt|clave|hash|contra|xmin|xmax|cmin|cmax|ctid$|tableoid/i.test(text),
  );

const schema = fc
  .uniqueArray(fc.tuple(name, fc.constantFrom(...TYPES), fc.boolean()), {
    selector: ([text]) => text,
    minLength: 1,
    maxLength: 12,
  })
  .chain((columns) => {
    const row = fc.tuple(...columns.map(([, { text }, nullable]) => (nullable ? fc.option(text) : text)));
    return fc.record({ columns: fc.constant(columns), table: name, rows: fc.array(row, { maxLength: 8 }) });
  });

describeWith(['postgresql'], 'PostgreSQL: random schemas', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  it('any table comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(schema, async ({ columns, table, rows }) => {
        const source = quoteIdentifier(`origen ${table}`);
        await db.admin.query(`DROP SCHEMA public CASCADE; CREATE SCHEMA public`);
        const list = columns.map(
          ([text, { type }, nullable]) => `${quoteIdentifier(text)} ${type}${nullable ? '' : ' NOT NULL'}`,
        );
        await db.admin.query(`CREATE TABLE ${source} (${list.join(', ')})`);
        for (const row of rows)
          await insert(
            db.admin,
            source,
            columns.map(([, { type }]) => type),
            row,
          );
        const given = `origen ${table}`;
        const result = await exportTable(db.env, given.includes('.') ? quoteIdentifier(given) : given);
        expect(result.rows).toBe(rows.length);
        await reload(db, 'copia', result.columns, result.csv);
        expect(await differences(db, source, 'copia')).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

/** Values as text parameters that the server casts. */
async function insert(client: Client, table: string, types: readonly string[], row: readonly (string | null)[]) {
  const values = types.map((type, i) => `$${i + 1}::text::${type}`);
  await client.query(`INSERT INTO ${table} VALUES (${values.join(', ')})`, [...row]);
}
