import { MAX_RESULT_BYTES, type TableResult } from '../contract/result';
import { configError } from '../errors';
import type { PlannedTable } from './plan-tables';

const MIB = 1024 * 1024;
/** What is around the tables: with a nonce and the like, at least. */
const ENVELOPE_BYTES = 200;

/**
 * Throws `configError` where the result cannot fit into one document: told before anything is read, and not after hours.
 * It may only turn out larger: numbers have one digit here, and warnings and nested keys are yet to come.
 * `keys`: of each table's object; `urlOf`: its URL, or as much of it as is known.
 */
export function assertResultFits(
  planned: readonly PlannedTable[],
  keys: ReadonlyMap<string, string>,
  urlOf: (key: string) => string,
  prefix: string,
): void {
  let bytes = ENVELOPE_BYTES;
  let columns = 0;
  for (const selection of planned) {
    const { name } = selection.table;
    bytes += entryBytes(name, leastResult(selection, keys.get(name)!, urlOf));
    columns += selection.columns.length;
  }
  if (bytes <= MAX_RESULT_BYTES) return;
  const least = (Math.ceil((10 * bytes) / MIB) / 10).toFixed(1);
  throw configError(
    `The result would be over ${MAX_RESULT_BYTES / MIB} MiB: ${planned.length} tables with ${columns} columns take at least ${least} MiB`,
    `Take fewer tables per run: \`tables\` in the request, or ${prefix}TABLES for sources of their own (SOURCES).`,
  );
}

/** An entry of the result as JSON, with the name, the colon and the comma. */
const entryBytes = (name: string, entry: TableResult): number =>
  Buffer.byteLength(JSON.stringify(name)) + Buffer.byteLength(JSON.stringify(entry)) + 2;

const leastResult = ({ columns, dropped }: PlannedTable, key: string, urlOf: (key: string) => string): TableResult => ({
  url: urlOf(key),
  registros: 0,
  key,
  bytes: 0,
  sha256: '0'.repeat(64),
  columns,
  dropped_columns: dropped,
});
