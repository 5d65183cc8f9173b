import { given } from './testing/given-table';
import { typesMetadata, typesOf } from './twin';
import { candidateTypes } from './twin-columns';

const columns = [given('a', 'integer'), given('b', 'text'), given('c', 'date'), given('d', 'decimal', 'numeric(10,2)')];
const best = columns.map((column) => candidateTypes(column)[0]!);

it.each([
  ['the best types', best, ''],
  ['exceptions', ['decimal(38,0)', 'varchar', 'varchar', 'decimal(10,2)'], '0:1 2:1'],
  ['text alone', best.map(() => 'varchar'), 'text'],
])('remembers %s', (_, types, metadata) => {
  expect(typesMetadata({ columns }, types)).toBe(metadata);
  expect(typesOf({ columns }, metadata)).toEqual(types);
});

it('does not remember what is too long for an object of S3', () => {
  const many = Array.from({ length: 500 }, (_, n) => given(`c${n}`, 'integer'));
  expect(
    typesMetadata(
      { columns: many },
      many.map(() => 'decimal(38,0)'),
    ),
  ).toBeNull();
});

it.each(['9:1', '0:7', 'x'])('does not take the metadata %j', (metadata) => {
  expect(() => typesOf({ columns }, metadata)).toThrow("a twin's types say");
});

it.each([
  ['numeric(10,2)', 'decimal(10,2)'],
  ['decimal(5, 0) unsigned', 'decimal(5,0)'],
  ['numeric(7)', 'decimal(7,0)'],
  ['numeric', 'decimal(18,6)'],
  ['decimal(65,30)', 'decimal(18,6)'],
  ['numeric(3,5)', 'decimal(18,6)'],
  ['numeric(5,-2)', 'decimal(18,6)'],
  ['double|long', 'decimal(18,6)'],
])('reads the decimal %s as %s', (source, type) => {
  expect(candidateTypes(given('x', 'decimal', source))[0]).toBe(type);
});
