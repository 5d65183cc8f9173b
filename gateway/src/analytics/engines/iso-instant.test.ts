import { isoInstant } from './iso-instant';

it.each([
  ['2025-01-02 15:30:45', '2025-01-02T15:30:45Z'],
  ['2025-01-02 15:30:45.000', '2025-01-02T15:30:45Z'],
  ['2025-01-02 15:30:45.120', '2025-01-02T15:30:45.12Z'],
  ['2025-01-02 15:30:45.123456 UTC', '2025-01-02T15:30:45.123456Z'],
  ['2025-01-02T15:30:45.1+00', '2025-01-02T15:30:45.1Z'],
])('writes %s as %s', (text, expected) => {
  expect(isoInstant(text)).toBe(expected);
});

it('does not take a date for an instant', () => {
  expect(() => isoInstant('2025-01-02')).toThrow('no timestamp');
});
