import { comparisonTable, seriesTable, verdictTable } from './report';
import type { Figure } from './rounds';

const MiB = 2 ** 20;
const figure = (given: Partial<Figure>): Figure => ({
  ...{ id: 'x', title: 'x', role: 'other', version: 'x 1.0', runs: [], peakRss: null, cpu: [], output: null },
  ...given,
});

test('the comparison tells medians, ratios to the reference, memory and size, the fastest first', () => {
  const own = figure({ title: '`psql`', role: 'reference', runs: [2000, 1900, 2600], peakRss: 12 * MiB });
  const output = { rows: 10, bytes: 273_400_000 };
  const cpu = [900, 1000, 1400].map((program) => ({ program, servers: 1200 }));
  const ours = figure({ title: 'ours', role: 'ours', runs: [1500, 1500, 1700], peakRss: 93 * MiB, output, cpu });
  const lines = comparisonTable([own, ours]).split('\n').slice(2);
  expect(lines).toEqual([
    '| **ours** | 1.50 | 1.50 – 1.70 | 0.75 | 1.00 + 1.20 | 93 | 273.4 | 3 | x 1.0 |',
    '| `psql` | 2.00 | 1.90 – 2.60 | 1.00 | – | 12 | – | 3 | x 1.0 |',
  ]);
});

test('who is absent or has failed stays in the table, with the reason on one line', () => {
  const absent = figure({ title: 'sling', version: '', problem: 'Python 3 is not\ninstalled' });
  const failed = figure({ title: 'dlt', runs: [100], problem: 'gave 7 rows | of 8' });
  const lines = comparisonTable([absent, failed]).split('\n').slice(2);
  expect(lines[0]).toContain('| sling | absent: Python 3 is not installed |');
  expect(lines[1]).toContain('| dlt | failed: gave 7 rows \\| of 8 |');
});

test('promises are met, not met, or not measured', () => {
  const text = verdictTable([
    { what: 'a', bound: '≤ 0.85', measured: 0.804, met: true },
    { what: 'b', bound: '≤ 110', measured: 120.4, met: false },
    { what: 'c', bound: '≥ 3', measured: undefined, met: undefined },
  ]);
  expect(text.split('\n').slice(2)).toEqual([
    '| a | ≤ 0.85 | 0.80 | met |',
    '| b | ≤ 110 | 120 | **not met** |',
    '| c | ≥ 3 | – | not measured |',
  ]);
});

test('the series tells microseconds per row beyond what the start takes', () => {
  const text = seriesTable([
    { rows: 0, to: 'folder', ms: 200, peakRss: 64 * MiB },
    { rows: 10_000, to: 'folder', ms: 250, peakRss: null },
    { rows: 10_000, to: 'S3', ms: 300, peakRss: 96 * MiB },
  ]);
  expect(text.split('\n').slice(2)).toEqual([
    '| none (the start) | 0.20 | – | 64 |',
    '| 10,000 | 0.25 | 5.00 | – |',
    '| 10,000, to S3 | 0.30 | 10.00 | 96 |',
  ]);
});
