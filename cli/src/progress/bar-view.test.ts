import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgressEvent, TableProgress } from '../answers';
import { BarView } from './bar-view';

const event = (progress: ProgressEvent['progress']): ProgressEvent => ({
  run_id: 'run-1',
  database: 'mysql',
  state: 'running',
  attempts: 1,
  progress,
});
const table = (state: TableProgress['state'], rows: number): TableProgress => ({
  state,
  rows,
  bytes: 10,
  estimated_rows: 200,
});

it('draws a bar for a table, leaves a line when it ends, and gives the terminal back', async () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 120 });
  const view = new BarView(terminal);
  view.started('mysql', 'run-1', false);
  view.progress(event({ users: table('running', 100) }));
  let shown = '';
  const drawn = async (text: string) => {
    while (!shown.includes(text)) {
      await sleep(20);
      shown += terminal.read() ?? '';
    }
  };
  view.note('a word in between');
  await drawn('of about 200');
  view.progress(event({ users: table('finished', 200), '\u001b[2J': table('running', 1) }));
  view.ended('mysql');
  view.note('after the end');
  shown += terminal.read() ?? '';
  expect(shown).toContain('mysql: run run-1\n');
  expect(shown).toMatch(/mysql\.users +█{12}░{12} 100 of about 200 rows/);
  expect(shown).toContain('a word in between\n');
  expect(shown).toContain('✓ mysql.users  200 rows  10 B\n');
  expect(shown).not.toContain('\u001b[2J');
  const [hide, show] = ['\u001b[?25l', '\u001b[?25h'];
  expect(shown.lastIndexOf(show)).toBeGreaterThan(shown.lastIndexOf(hide));
  expect(shown.indexOf(hide)).toBeGreaterThan(-1);
  expect(shown.endsWith('after the end\n')).toBe(true);
});
