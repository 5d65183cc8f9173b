import fc from 'fast-check';
import { type CqlType, typeText } from '../cql-type';
import { quoteName } from '../names';

/** A table of any shape with its rows, as CQL. Its key is (id, c); `columns` are the others. */
export interface RandomTable {
  userTypes: { name: string; fields: { name: string; type: string }[] }[];
  columns: { name: string; type: string; isStatic: boolean }[];
  /** A literal per column, or NULL. */
  rows: { id: number; c: number; values: string[] }[];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const pad = (value: number, digits = 2): string => String(value).padStart(digits, '0');
const integer = (bits: number) => fc.bigInt(-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n).map(String);
const number = (value: number): string => (Object.is(value, -0) ? '-0.0' : String(value));

/** Literals of every scalar type but counters, which have tables of their own. */
const SCALARS: Record<string, fc.Arbitrary<string>> = {
  ascii: fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).map(quoted),
  text: fc.string({ unit: 'grapheme', maxLength: 20 }).map(quoted),
  bigint: integer(64),
  int: integer(32),
  smallint: integer(16),
  tinyint: integer(8),
  varint: integer(200),
  decimal: fc.tuple(integer(150), fc.integer({ min: -40, max: 40 })).map(([digits, e]) => `${digits}E${e}`),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map(number),
  float: fc.float({ noNaN: true, noDefaultInfinity: true }).map(number),
  boolean: fc.boolean().map(String),
  blob: fc.uint8Array({ maxLength: 20 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`),
  date: fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => quoted(date.toISOString().slice(0, 10))),
  time: fc
    .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999_999_999))
    .map(([h, m, s, ns]) => quoted(`${pad(h)}:${pad(m)}:${pad(s)}.${pad(ns, 9)}`)),
  timestamp: fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => String(date.getTime())),
  duration: fc
    .tuple(fc.nat(2 ** 31 - 1), fc.nat(2 ** 31 - 1), fc.bigInt(0n, 2n ** 63n - 1n), fc.boolean())
    .map(([months, days, ns, minus]) => `${minus ? '-' : ''}${months}mo${days}d${ns}ns`),
  inet: fc.oneof(fc.ipV4(), fc.ipV6()).map(quoted),
  uuid: fc.uuid(),
  timeuuid: fc.uuid({ version: 1 }),
};
/** Durations have no order, which members of sets and keys of maps need. */
const ORDERED = Object.keys(SCALARS).filter((name) => name !== 'duration');

const scalar = (names: string[]): fc.Arbitrary<CqlType> =>
  fc.constantFrom(...names).map((name) => ({ kind: 'scalar', name }));

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => text !== '__proto__');
const names = (count: number) => fc.uniqueArray(name, { minLength: count, maxLength: count });

/** Types nested up to `depth` levels, of elements that have an order where that is asked. */
function typeOf(depth: number, isOrdered: boolean, known: readonly CqlType[]): fc.Arbitrary<CqlType> {
  const plain = scalar(isOrdered ? ORDERED : Object.keys(SCALARS));
  if (depth === 0) return plain;
  const inner = typeOf(depth - 1, isOrdered, known);
  const ordered = typeOf(depth - 1, true, known);
  const nested: fc.Arbitrary<CqlType>[] = [
    inner.map((of) => ({ kind: 'list', of, set: false })),
    ordered.map((of) => ({ kind: 'list', of, set: true })),
    fc.tuple(ordered, inner).map(([key, value]) => ({ kind: 'map', key, value })),
    fc.array(inner, { minLength: 1, maxLength: 3 }).map((of) => ({ kind: 'tuple', of })),
    fc.tuple(inner, fc.integer({ min: 1, max: 3 })).map(([of, dimension]) => ({ kind: 'vector', of, dimension })),
  ];
  if (known.length > 0 && !isOrdered) nested.push(fc.constantFrom(...known));
  return fc.oneof(plain, ...nested);
}

/** Literals of a type; elements of collections and vectors are never null, fields may be. */
function literalOf(type: CqlType): fc.Arbitrary<string> {
  const orNull = (of: CqlType) => fc.option(literalOf(of), { nil: 'NULL' });
  switch (type.kind) {
    case 'scalar':
      return SCALARS[type.name]!;
    case 'list':
      return fc
        .array(literalOf(type.of), { maxLength: 4 })
        .map((items) => (type.set ? `{${items.join(', ')}}` : `[${items.join(', ')}]`));
    case 'map':
      return fc
        .array(fc.tuple(literalOf(type.key), literalOf(type.value)), { maxLength: 4 })
        .map((pairs) => `{${pairs.map(([key, value]) => `${key}: ${value}`).join(', ')}}`);
    case 'tuple':
      return fc.tuple(...type.of.map(orNull)).map((items) => `(${items.join(', ')})`);
    case 'vector':
      return fc
        .array(literalOf(type.of), { minLength: type.dimension, maxLength: type.dimension })
        .map((items) => `[${items.join(', ')}]`);
    case 'udt':
      return fc
        .tuple(...type.fields.map((field) => orNull(field.type)))
        .map((values) => `{${type.fields.map((field, i) => `${quoteName(field.name)}: ${values[i]}`).join(', ')}}`);
  }
}

const frozenText = (type: CqlType): string => (type.kind === 'scalar' ? type.name : `frozen<${typeText(type)}>`);

/** A user-defined type; its own name takes word characters only. */
const userType = (typeName: string): fc.Arbitrary<CqlType & { kind: 'udt' }> =>
  fc.array(typeOf(1, false, []), { minLength: 1, maxLength: 4 }).chain((types) =>
    names(types.length).map((fields) => ({
      kind: 'udt',
      name: typeName,
      fields: fields.map((field, i) => ({ name: field, type: types[i]! })),
    })),
  );

/** Any table: types nested up to three levels, a type of its own, frozen or not, static or not, awkward names. */
export const randomTable = (typeName: string): fc.Arbitrary<RandomTable> =>
  userType(typeName).chain((udt) =>
    fc
      .array(fc.tuple(typeOf(3, false, [udt]), fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 8 })
      .chain((columns) =>
        fc
          .record({
            names: fc.uniqueArray(
              name.filter((text) => text !== 'id' && text !== 'c'),
              { minLength: columns.length, maxLength: columns.length },
            ),
            rows: fc.uniqueArray(
              fc.record({
                id: fc.nat(3),
                c: fc.nat(3),
                values: fc.tuple(...columns.map(([type]) => fc.option(literalOf(type), { nil: 'NULL' }))),
              }),
              { selector: ({ id, c }) => `${id}/${c}`, maxLength: 8 },
            ),
          })
          .map((random) => ({
            userTypes: [
              {
                name: udt.name,
                fields: udt.fields.map((field) => ({ name: field.name, type: frozenText(field.type) })),
              },
            ],
            columns: columns.map(([type, isFrozen, isStatic], i) => ({
              name: random.names[i]!,
              type: isFrozen ? frozenText(type) : typeText(type),
              isStatic,
            })),
            rows: random.rows,
          })),
      ),
  );
