import { resultColumn, resultValue } from './result-value';

it.each([
  ['bigint', 5, 5],
  ['bigint', '9007199254740993', '9007199254740993'],
  ['bigint', '1234567890123456', 1234567890123456],
  ['integer', '-7', -7],
  ['double', 0.25, 0.25],
  ['double', '1.0E10', 1e10],
  ['double', 'NaN', null],
  ['double', '-Infinity', null],
  ['decimal', '1234.50', 1234.5],
  ['boolean', false, false],
  ['boolean', 'true', true],
  ['boolean', 'false', false],
  ['varchar', '', ''],
  ['varchar', '007', '007'],
  ['date', '2024-02-29', '2024-02-29'],
  ['timestamp', '2025-01-02 15:30:45.100000', '2025-01-02T15:30:45.1Z'],
  ['timestamp with time zone', '2025-01-02 15:30:45.123 UTC', '2025-01-02T15:30:45.123Z'],
  ['unknown', null, null],
])('takes the %s %j for %j', (type, value, expected) => {
  expect(resultValue(resultColumn('x', type), value)).toBe(expected);
});

it.each(['varbinary', 'array', 'row', 'INTERVAL DAY TO SECOND', 'constructor'])('has no JSON for a %s', (type) => {
  expect(() => resultColumn('x', type)).toThrow('cast it to a plain type');
});

it.each(['2025-01-02 15:30:45.123 America/Lima', '2025-01-02 15:30:45.123 -05:00'])(
  'does not take %s for UTC',
  (text) => {
    expect(() => resultValue(resultColumn('x', 'timestamp with time zone'), text)).toThrow('not in UTC');
  },
);
