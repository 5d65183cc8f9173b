import type { Column, LogicalType, TableResult } from '@ingesta/kit';
import { parseCsv } from '../../../scripts/kit/src/testing/parse-csv';

/** Texts that a logical type allows, where it leaves no choice. Engines keep what has no such form as text elsewhere. */
const FORMS: Partial<Record<LogicalType, RegExp>> = {
  boolean: /^(true|false)$/,
  integer: /^-?\d+$/,
  binary: /^([0-9a-f]{2})*$/,
};

/** A CSV of the contract as records; throws with what is wrong with it. */
export function readCsv(data: Uint8Array): (string | null)[][] {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  if (text.startsWith('\uFEFF')) throw new Error('it starts with a byte order mark');
  return parseCsv(text);
}

/** What differs between a table's CSV and what the result says of it. */
export function csvProblems(
  table: string,
  entry: Pick<TableResult, 'columns' | 'registros'>,
  data: Uint8Array,
): string[] {
  let records: (string | null)[][];
  try {
    records = readCsv(data);
  } catch (error) {
    return [`the CSV of ${table} cannot be read: ${(error as Error).message}`];
  }
  const [header = [], ...rows] = records;
  const names = entry.columns.map(({ name }) => name);
  const problems: string[] = [];
  if (JSON.stringify(header) !== JSON.stringify(names)) {
    problems.push(`the header of ${table} is ${header.join(',')}, its columns are ${names.join(',')}`);
  }
  if (rows.length !== entry.registros) problems.push(`${table} has ${rows.length} rows, not ${entry.registros}`);
  const ragged = rows.findIndex((row) => row.length !== header.length);
  if (ragged !== -1) problems.push(`row ${ragged + 1} of ${table} has ${rows[ragged]!.length} fields`);
  return [...problems, ...entry.columns.flatMap((column, at) => valueProblems(table, column, rows, at))];
}

function valueProblems(table: string, column: Column, rows: readonly (string | null)[][], at: number): string[] {
  const odd = rows.map((row) => row[at]).find((value) => value != null && !fits(column.logical_type, value));
  if (odd == null) return [];
  return [`${column.name} of ${table} is called ${column.logical_type} and holds ${JSON.stringify(odd.slice(0, 40))}`];
}

function fits(type: LogicalType, value: string): boolean {
  if (type !== 'json') return FORMS[type]?.test(value) ?? true;
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
