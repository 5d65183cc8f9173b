import * as z from 'zod';
import { tableRecord } from './table-record';

const schema = z.object({ tables: tableRecord(z.object({ rows: z.int() })) });

it('keeps every table, whatever its name', () => {
  const text = '{"tables":{"__proto__":{"rows":1},"constructor":{"rows":2},"":{"rows":3}}}';
  expect(JSON.stringify(schema.parse(JSON.parse(text)))).toBe(text);
});

it.each([null, [], [['a', { rows: 1 }]], 'x', { a: { rows: 'x' } }, { a: null }])('refuses %j', (tables) => {
  expect(schema.safeParse({ tables }).success).toBe(false);
});
