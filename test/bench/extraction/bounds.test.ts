import { judge } from './bounds';
import type { Figure } from './rounds';

const MiB = 2 ** 20;

const figure = (id: string, seconds: number, mebibytes: number): Figure => ({
  ...{ id, title: id, role: 'other', version: '1', cpu: [], output: null },
  runs: [seconds * 1000],
  peakRss: mebibytes * MiB,
});

const POSTGRESQL = [
  figure('own', 2, 10),
  figure('script', 1.6, 100),
  figure('script-ranges', 1.5, 120),
  figure('script-s3', 2.1, 90),
  figure('sling', 12, 130),
  figure('ingestr', 6.4, 200),
  figure('connectorx', 3, 500),
];

const metOf = (figures: readonly Figure[]) =>
  Object.fromEntries(judge('postgresql', figures).map(({ what, met }) => [what, met]));

test('each promise is measured by medians of the same run', () => {
  const measured = judge('postgresql', POSTGRESQL).map(({ measured, met }) => [measured, met]);
  expect(measured).toEqual([
    [0.8, true],
    [0.75, false],
    [1.3125, false],
    [125.82912, false],
    [4, true],
    [1.875, true],
    [0.2, true],
  ]);
});

test('a promise whose figures are missing or wrong is not measured, neither met nor broken', () => {
  const wrong = { ...figure('own', 2, 10), problem: 'gave 7 rows of 8' };
  const met = metOf([wrong, ...POSTGRESQL.slice(1)]);
  expect(met['one connection ÷ `psql \\copy`']).toBeUndefined();
  expect(met['to S3 ÷ to a folder']).toBe(false);
  expect(judge('cassandra', []).every((verdict) => verdict.met === undefined)).toBe(true);
});
