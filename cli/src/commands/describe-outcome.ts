import type { PlanAnswer, RunAnswer } from '../answers';
import type { ErrorInfo } from '../errors';
import { bytes, duration, rows } from '../quantities';
import { printable, textTable } from '../text-table';

/** A run that succeeded: a headline, one line per table, the warnings. */
export function describeAnswer({ database, result, run_id, consistency, duration_ms, warnings }: RunAnswer): string[] {
  const lines = Object.entries(result).map(([table, { registros, bytes: size, url, dropped_columns }]) => [
    table,
    rows(registros),
    bytes(size),
    dropped_columns.length === 0 ? url : `${url} (without ${dropped_columns.map(({ name }) => name).join(', ')})`,
  ]);
  return [
    `${database}: succeeded in ${duration(duration_ms)}, consistency ${consistency}, run ${run_id}`,
    ...indented(
      textTable(
        [{ title: 'TABLE' }, { title: 'ROWS', align: 'right' }, { title: 'SIZE', align: 'right' }, { title: 'WHERE' }],
        lines,
      ),
    ),
    ...warnings.map((warning) => `  warning: ${printable(warning)}`),
  ];
}

/** What a run would take. */
export function describePlan({ database, plan, consistency }: PlanAnswer): string[] {
  const lines = Object.entries(plan).map(([table, { columns, dropped_columns, estimated_rows }]) => [
    table,
    estimated_rows === null ? '?' : rows(estimated_rows),
    String(columns.length),
    dropped_columns.map(({ name, reason }) => `${name} (${reason})`).join(', ') || '-',
  ]);
  return [
    `${database}: would export ${lines.length} tables, consistency ${consistency}`,
    ...indented(
      textTable(
        [
          { title: 'TABLE' },
          { title: 'ROWS ABOUT', align: 'right' },
          { title: 'COLUMNS', align: 'right' },
          { title: 'LEFT OUT' },
        ],
        lines,
      ),
    ),
  ];
}

/** A failure, what to do next, and where to read more. */
export function describeError(subject: string, { code, message, hint, run_id }: ErrorInfo): string[] {
  return [
    `${subject}: ${code}: ${printable(message)}`,
    ...(hint ? [`  hint: ${printable(hint)}`] : []),
    ...(run_id ? [`  run: ${run_id}`] : []),
  ];
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
