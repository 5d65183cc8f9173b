import { execFileSync } from 'node:child_process';
import { slotKey } from './slot';

it('makes the keys that date makes, in the local time that cron goes by', () => {
  const now = new Date(2026, 0, 2, 3, 4);
  const date = (format: string) =>
    execFileSync('date', ['-d', `@${now.getTime() / 1000}`, format], { encoding: 'utf8' }).trim();
  expect(slotKey('mysql', 'day', now)).toBe(`mysql-${date('+%F')}`);
  expect(slotKey('mysql', 'hour', now)).toBe(`mysql-${date('+%FT%H')}`);
});

it('knows no other slot', () => {
  expect(() => slotKey('mysql', 'week', new Date())).toThrow('--slot week: must be day or hour');
});
