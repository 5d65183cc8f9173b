import fc from 'fast-check';
import { dateText, dayOf, Random } from './random';

describe('random numbers', () => {
  it('come again for the same seed, table and id, and for no other', () => {
    const draw = (seed: number, table: string, id: number) => new Random(seed, table, id).bits();
    expect(draw(1, 'users', 1)).toBe(draw(1, 'users', 1));
    expect(new Set([draw(1, 'users', 1), draw(2, 'users', 1), draw(1, 'users', 2), draw(1, 'agents', 1)]).size).toBe(4);
  });

  it('stay within their bounds, both included', () => {
    const random = new Random(1, 'bounds', 1);
    const drawn = new Set(Array.from({ length: 1_000 }, () => random.int(-1, 2)));
    expect([...drawn].sort()).toEqual([-1, 0, 1, 2]);
  });

  it('have no item to pick from an empty list', () => {
    expect(() => new Random(1, 'empty', 1).pick([])).toThrow(RangeError);
  });

  it('make version 4 UUIDs that differ whenever the ids do', () => {
    const ids = Array.from({ length: 20_000 }, (_, id) => new Random(1, 'same stream', 1).uuid(id));
    expect(new Set(ids).size).toBe(20_000);
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
      true,
    );
  });

  it('turn days into dates and back, from year 1000 to 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: dayOf('1000-01-01'), max: dayOf('9999-12-31') }), (day) => {
        expect(dayOf(dateText(day))).toBe(day);
      }),
    );
  });
});
