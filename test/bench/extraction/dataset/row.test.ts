import { parseCsv } from '../../../../scripts/kit/src/testing/parse-csv';
import { csvStream } from './csv-text';
import { eachRow, rowOf } from './row';

test('a row depends on its number only', () => {
  const rows = [...eachRow(50)];
  expect(rows).toHaveLength(50);
  expect(rows[36]).toEqual(rowOf(37));
  expect(new Set(rows.map(({ reference }) => reference)).size).toBe(50);
});

test('the values are what the engines take: ranges, dates, NULLs, awkward text', () => {
  const rows = [...eachRow(500)];
  expect(rows.every(({ account }) => account >= 0n && account < 2n ** 63n)).toBe(true);
  expect(rows.every(({ born, seen }) => born === new Date(born).toISOString().slice(0, 10) && seen.length === 23)).toBe(
    true,
  );
  expect(rows.filter(({ note }) => note === null)).toHaveLength(50);
  expect(rows.some(({ note }) => note?.includes('\n') && note.includes('"'))).toBe(true);
});

test('the CSV for the loaders holds the same rows', async () => {
  const bytes = Buffer.concat(await csvStream(200, { nullText: 'NULL', hexPrefix: '\\x' }).toArray());
  const records = parseCsv(bytes.toString());
  const row = rowOf(199);
  expect(records).toHaveLength(200);
  expect(records[198]).toHaveLength(12);
  expect(records[198]![9]).toBe(row.note);
  expect(JSON.parse(records[198]![10]!)).toEqual(row.attributes);
  expect(records[198]![11]).toBe(`\\x${row.payload}`);
  expect(records[9]![9]).toBe('NULL');
});
