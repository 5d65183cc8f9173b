import { type Job, type SensitiveRules, sensitiveRules, type TableResult } from '@ingesta/kit';
import { readCsv } from './csv';

/** The rules that a script had to keep in a job. */
export const rulesOf = ({ database, env }: Job): SensitiveRules =>
  sensitiveRules(database, { add: env.SENSITIVE_COLUMNS, allow: env.SENSITIVE_COLUMNS_ALLOW });

/** Columns, and keys inside of JSON values, that must not have left the database. `data` is null where it was not read. */
export function sensitiveProblems(
  rules: SensitiveRules,
  table: string,
  { columns }: Pick<TableResult, 'columns'>,
  data: Uint8Array | null,
): string[] {
  const open = columns.map(({ name }) => [name]).filter((path) => rules.reason(table, path) !== null);
  const paths = data === null ? open : [...open, ...nestedPaths(rules, table, columns, data)];
  return [...new Set(paths.map((path) => `${table} shows ${path.join('.')}`))];
}

function nestedPaths(
  rules: SensitiveRules,
  table: string,
  columns: TableResult['columns'],
  data: Uint8Array,
): string[][] {
  const documents = columns.flatMap(({ name, logical_type }, at) => (logical_type === 'json' ? [{ name, at }] : []));
  if (documents.length === 0) return [];
  try {
    const rows = readCsv(data).slice(1);
    return documents
      .flatMap(({ name, at }) => rows.flatMap((row) => keysIn(JSON.parse(row[at] ?? 'null'), [name])))
      .filter((path) => rules.reason(table, path) !== null);
  } catch {
    // No CSV, or no JSON in it: the check of the CSV says so.
    return [];
  }
}

function keysIn(value: unknown, path: string[]): string[][] {
  if (Array.isArray(value)) return value.flatMap((item) => keysIn(item, path));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...keysIn(inner, [...path, key])]);
}
