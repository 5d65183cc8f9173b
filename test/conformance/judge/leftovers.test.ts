import { leftoverProblems, shapeOf } from './leftovers';

const TIME = '20250102_153045';
const whole = new Map([[shapeOf(`db/users_20250101_000000.csv`, '20250101_000000'), 100]]);

it('lets the whole object of a finished table stay', () => {
  expect(leftoverProblems([{ key: `db/users_${TIME}.csv`, bytes: 100 }], TIME, whole)).toEqual([]);
});

it.each([
  [`db/users_${TIME}.csv`, 99, 'with 99 of 100 bytes'],
  [`db/users_${TIME}.csv.part`, 100, 'it left'],
  ['_ingesta/runs/db/1/result-1.json', 10, 'speaks of success'],
])('minds %s with %i bytes', (key, bytes, problem) => {
  expect(leftoverProblems([{ key, bytes }], TIME, whole)).toEqual([expect.stringContaining(problem)]);
});
