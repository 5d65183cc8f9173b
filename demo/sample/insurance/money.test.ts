import fc from 'fast-check';
import { decimal, percentOf } from './money';

describe('money', () => {
  it('is written with two decimals, digit by digit', () => {
    expect([0, 5, 10, 199, 123_450, Number.MAX_SAFE_INTEGER].map(decimal)).toEqual([
      '0.00',
      '0.05',
      '0.10',
      '1.99',
      '1234.50',
      '90071992547409.91',
    ]);
    fc.assert(fc.property(fc.maxSafeNat(), (cents) => expect(Number(decimal(cents).replace('.', ''))).toBe(cents)));
  });

  it('is never negative nor a fraction of a cent', () => {
    expect(() => decimal(-1)).toThrow(RangeError);
    expect(() => decimal(0.5)).toThrow(RangeError);
    expect(percentOf(199, 50)).toBe(99);
  });
});
