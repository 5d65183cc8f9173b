import fc from 'fast-check';
import { Decimal128 } from 'mongodb';
import { decimalText, UUID_LENGTH, writeInteger, writeUuid } from './bson-scalars';
import { INSTANT_LENGTH, writeInstant } from './iso-instant';

const out = Buffer.alloc(64);

it('decimals have the very text of the driver', () => {
  const digits = fc.bigInt({ min: -(10n ** 34n) + 1n, max: 10n ** 34n - 1n });
  const short = fc.maxSafeInteger().map(BigInt);
  const exponent = fc.oneof(fc.integer({ min: -30, max: 10 }), fc.integer({ min: -6176, max: 6111 }));
  fc.assert(
    fc.property(fc.oneof(digits, short, fc.constantFrom(0n, 1n, 10n)), exponent, fc.boolean(), (n, e, negate) => {
      const text = `${negate && n >= 0n ? '-' : ''}${n}E${e}`;
      const decimal = Decimal128.fromString(text);
      expect(decimalText(Buffer.from(decimal.bytes), 0)).toBe(decimal.toString());
    }),
    { numRuns: 2_000 },
  );
  for (const text of ['NaN', 'Infinity', '-Infinity', '-0', '0.000001', '1E-7', '9007199254740992', '1E+1']) {
    expect(decimalText(Buffer.from(Decimal128.fromString(text).bytes), 0)).toBe(text);
  }
});

it('integers have every digit', () => {
  const edges = [0, 9, 10, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 999_999_999, 1e9, 1e15, Number.MAX_SAFE_INTEGER];
  const check = (n: number) => expect(out.toString('latin1', 0, writeInteger(out, n))).toBe(String(n));
  for (const n of edges) for (const sign of [1, -1]) check(n === 0 ? 0 : n * sign);
  fc.assert(fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer()), (n) => void check(n)));
});

it('instants are those of Date, to the millisecond', () => {
  const [min, max] = [new Date('0001-01-01T00:00:00.000Z'), new Date('9999-12-31T23:59:59.999Z')];
  const check = (date: Date) => {
    expect(writeInstant(out, date.getTime())).toBe(true);
    const text = date.toISOString().replace('T', ' ').replace('Z', '+00');
    expect(out.toString('latin1', 0, INSTANT_LENGTH)).toBe(text);
  };
  for (const date of [min, max, new Date(0), new Date(-1), new Date('2000-02-29'), new Date('1900-03-01')]) check(date);
  fc.assert(fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => void check(date)));
  expect(writeInstant(out, min.getTime() - 1)).toBe(false);
  expect(writeInstant(out, max.getTime() + 1)).toBe(false);
  expect(writeInstant(out, Number.NaN)).toBe(false);
});

it('UUIDs have dashes in their places', () => {
  writeUuid(out, Buffer.from('xx00112233445566778899aabbccddeeff'.replace('xx', 'ff'), 'hex'), 1);
  expect(out.toString('latin1', 0, UUID_LENGTH)).toBe('00112233-4455-6677-8899-aabbccddeeff');
});
