import { scriptEventSchema } from './events';

const at = '2025-01-02T15:30:45.000Z';

it.each([
  [7, 7],
  [null, null],
  // PostgreSQL's own for a table that was never analysed.
  [-1, null],
  [1e300, null],
  ['many', null],
])('takes an estimate of %j for %j', (told, taken) => {
  const event = { event: 'table_started', at, table: 'users', estimated_rows: told };
  expect(scriptEventSchema.parse(event)).toMatchObject({ estimated_rows: taken });
});

it.each([{ rows: -1 }, { bytes: -1 }, { rows: 0.5 }])('takes no counts like %j', (counts) => {
  const event = { event: 'progress', at, table: 'users', rows: 1, bytes: 1, ...counts };
  expect(scriptEventSchema.safeParse(event).success).toBe(false);
});
