import { bytes, duration, rows } from './quantities';
import { textTable } from './text-table';

it('aligns columns, and shows what would move the cursor', () => {
  const lines = textTable(
    [{ title: 'TABLE' }, { title: 'ROWS', align: 'right' }],
    [
      ['users', '4,000'],
      ['evil\u001b[2J\n', '1'],
    ],
  );
  expect(lines).toEqual(['TABLE                ROWS', 'users               4,000', 'evil\\u{1b}[2J\\u{a}      1']);
});

it('writes quantities as people read them', () => {
  expect([rows(1234567), bytes(999), bytes(530_365), bytes(5e12)]).toEqual([
    '1,234,567',
    '999 B',
    '530.4 kB',
    '5.0 TB',
  ]);
  expect([640, 12_340, 245_000, 12_000_000, 500_000_000].map(duration)).toEqual([
    '640 ms',
    '12.3 s',
    '4 min 05 s',
    '3 h 20 min',
    '5 days',
  ]);
});
