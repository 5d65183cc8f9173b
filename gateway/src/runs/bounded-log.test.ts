import { BoundedLog } from './bounded-log';

const at = '2025-01-02T15:30:45.000Z';
const line = (message: string) => ({ at, level: 'info' as const, message });

it('keeps every line of a short log', () => {
  const log = new BoundedLog();
  log.add(line('one'));
  log.add(line('two\nlines'));
  expect(
    log
      .toBuffer()
      .toString()
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text).message),
  ).toEqual(['one', 'two\nlines']);
});

it('keeps the beginning and the end of a long one, and says how much is missing', () => {
  const log = new BoundedLog();
  const count = 20_000;
  for (let i = 0; i < count; i += 1) log.add(line(`${i} ${'x'.repeat(i % 500)}`));
  log.add(line('y'.repeat(1_000_000)));
  const text = log.toBuffer();
  expect(text.length).toBeLessThan(260 * 1024);
  const lines = text
    .toString()
    .trimEnd()
    .split('\n')
    .map((entry) => JSON.parse(entry));
  expect(lines[0].message).toMatch(/^0 /);
  expect(lines.at(-1).message).toHaveLength(4_000);
  const { left_out } = lines.find((entry) => 'left_out' in entry);
  expect(left_out + lines.length - 1).toBe(count + 1);
});
