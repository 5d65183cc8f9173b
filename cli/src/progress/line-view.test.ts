import type { ProgressEvent, TableProgress } from '../answers';
import { LineView } from './line-view';

const table = (rows: number, state: TableProgress['state'] = 'running'): TableProgress => ({
  state,
  rows,
  bytes: rows * 10,
  estimated_rows: 500,
});

const event = (progress: Record<string, TableProgress>, attempts = 1): ProgressEvent => ({
  run_id: 'run-1',
  database: 'mysql',
  state: 'running',
  attempts,
  progress,
});

it('tells each table once when it ends, and one that takes long now and then', () => {
  let now = Date.parse('2026-01-02T03:04:05Z');
  const lines: string[] = [];
  const view = new LineView(
    (line) => lines.push(line),
    () => new Date(now),
  );
  view.started('mysql', 'run-1', false);
  view.progress(event({ users: table(100, 'finished'), orders: table(1) }));
  view.progress(event({ users: table(100, 'finished'), orders: table(2) }));
  now += 31_000;
  view.progress(event({ orders: table(3) }));
  view.progress(event({ users: table(100, 'finished') }, 2));
  expect(lines).toEqual([
    '2026-01-02T03:04:05Z mysql: run run-1 started',
    '2026-01-02T03:04:05Z mysql.users: finished, 100 rows, 1.0 kB',
    '2026-01-02T03:04:05Z mysql.orders: 1 rows of about 500',
    '2026-01-02T03:04:36Z mysql.orders: 3 rows of about 500',
    '2026-01-02T03:04:36Z mysql: attempt 2',
    '2026-01-02T03:04:36Z mysql.users: finished, 100 rows, 1.0 kB',
  ]);
});
