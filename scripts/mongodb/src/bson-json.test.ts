import { CsvWriter } from '@ingesta/kit';
import { BSON } from 'mongodb';
import { BsonJson } from './bson-json';

/** The field that `value` becomes, out of its quotes. */
function jsonOf(value: unknown): string {
  const writer = new CsvWriter(1000);
  const bytes = Buffer.from(BSON.serialize({ v: value }));
  const typeAt = 4;
  new BsonJson(writer, () => false).write('v', bytes, bytes[typeAt]!, typeAt + 3);
  writer.endRow();
  const field = Buffer.concat(writer.flush().map(({ data }) => data))
    .toString()
    .slice(0, -1);
  return field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
}

it.each<[string, unknown]>([
  ['texts around the bounds of a slice', [8191, 8192, 8193, 16384].map((length) => 'x'.repeat(length))],
  ['texts around the bounds of the buffer', [65_533, 65_534, 65_535, 65_536, 65_537].map((n) => ['é'.repeat(n / 2)])],
  ['a huge text of nothing but escapes', { t: '\u0001"\\\n\u001f'.repeat(40_000) }],
  [
    'many short members',
    Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k"${i}`, [i, String(i), true]])),
  ],
  ['nothing around a huge number of elements', Array.from({ length: 60_000 }, (_, i) => i)],
])('JSON is the same whatever its size: %s', (_, value) => {
  expect(jsonOf(value)).toBe(JSON.stringify(value));
});

it('binary values have one padding, however large', () => {
  for (const size of [0, 1, 24_575, 24_576, 24_577, 200_000]) {
    const bytes = Buffer.from(Array.from({ length: size }, (_, i) => i % 253));
    const base64 = bytes.toString('base64');
    expect(JSON.parse(jsonOf([new BSON.Binary(bytes)]))).toEqual([{ $binary: { base64, subType: '00' } }]);
  }
});

it('fields that follow each other do not mix', () => {
  const writer = new CsvWriter();
  const bytes = Buffer.from(BSON.serialize({ a: ['x'.repeat(100_000)], b: 5 }));
  const json = new BsonJson(writer, () => false);
  const b = bytes.lastIndexOf('b');
  json.write('a', bytes, 4, 7);
  json.write('b', bytes, 0x10, b + 2);
  writer.endRow();
  const text = Buffer.concat(writer.flush().map(({ data }) => data)).toString();
  expect(text).toBe(`"[""${'x'.repeat(100_000)}""]",5\n`);
});
