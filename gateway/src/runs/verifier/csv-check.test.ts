import * as fc from 'fast-check';
import { CsvCheck } from './csv-check';

/** Rows found when `text` arrives in pieces of `size` bytes. */
function check(columns: string[], text: string, size = 1_000_000): number {
  const csv = new CsvCheck(columns);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) csv.update(bytes.subarray(at, at + size));
  return csv.end();
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const field = (text: string, quotes: boolean) => (quotes || /[",\n]/.test(text) ? quoted(text) : text);

it('counts the rows of any table, however its bytes are cut', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'ñ', ' ') });
  const table = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 5 })).chain(([width, height]) =>
    fc.array(fc.array(fc.tuple(text, fc.boolean()), { minLength: width, maxLength: width }), {
      minLength: height + 1,
      maxLength: height + 1,
    }),
  );
  fc.assert(
    fc.property(table, fc.integer({ min: 1, max: 7 }), (records, size) => {
      const csv = records.map((record) => `${record.map(([value, quotes]) => field(value, quotes)).join(',')}\n`);
      const columns = records[0]!.map(([value]) => value);
      expect(check(columns, csv.join(''), size)).toBe(records.length - 1);
    }),
  );
});

it.each([
  ['nothing at all', '', 'no header'],
  ['a header that is cut off', 'a,b', 'no header'],
  ['a row that is cut off', 'a,b\n1,2\n3', 'row 2 is cut off'],
  ['a row that is cut off behind a comma', 'a,b\n1,', 'row 1 is cut off'],
  ['a row that is cut off in quotes', 'a,b\n1,"2\n', 'row 1 is cut off'],
  ['a row that lacks its line end', 'a,b\n1,2', 'row 1 is cut off'],
  ['too few fields', 'a,b\n1\n', 'row 1 has 1 fields, not 2'],
  ['too many fields', 'a,b\n1,2\n1,2,3\n', 'row 2 has 3 fields, not 2'],
  ['a bare quote', 'a,b\n1,x"\n', 'row 1 has a quote'],
  ['text behind quotes', 'a,b\n1,"x"y\n', 'row 1 goes on'],
  ['another column', 'a,c\n1,2\n', 'column 2 is called "c"'],
])('notices %s', (_, text, why) => {
  expect(() => check(['a', 'b'], text)).toThrow(why);
  expect(() => check(['a', 'b'], text, 1)).toThrow(why);
});
