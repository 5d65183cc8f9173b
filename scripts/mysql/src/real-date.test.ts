import fc from 'fast-check';
import { isRealDate } from './real-date';

const check = (text: string) => isRealDate(Buffer.from(`,${text}`), 1);

describe('isRealDate', () => {
  it('agrees with the calendar', () => {
    const part = (max: number, width: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(width, '0'));
    fc.assert(
      fc.property(part(9999, 4), part(12, 2), part(31, 2), (year, month, day) => {
        const text = `${year}-${month}-${day}`;
        const date = new Date(`${text}T00:00:00Z`);
        expect(check(text)).toBe(!Number.isNaN(date.getTime()) && date.toISOString().startsWith(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each(['0000-00-00', '2024-00-15', '2024-02-00', '2023-02-29', '1900-02-29', '2024-04-31'])(
    '%s is none',
    (text) => {
      expect(check(text)).toBe(false);
    },
  );

  it.each(['2024-02-29', '2000-02-29', '0000-01-01', '9999-12-31 23:59:59'])('%s is one', (text) => {
    expect(check(text)).toBe(true);
  });
});
