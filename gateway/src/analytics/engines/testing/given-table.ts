import { createHash, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Column, CsvWriter, encodeName, type Lake, type LogicalType, type ManifestEntry } from '@ingesta/kit';
import type { DeclaredColumn, QueryTable } from '../engine';

/** A value as its CSV field has it: text, or NULL. */
export type Field = string | null;

/** A table as a run would have exported it. */
export interface GivenTable {
  database?: string;
  table: string;
  columns: readonly Column[];
  rows: readonly (readonly Field[])[];
  gzip?: boolean;
}

/** A column of a logical type; `source` where the source's own type says more. */
export const given = (name: string, logical_type: LogicalType, source: string = logical_type): Column => ({
  name,
  source_type: source,
  logical_type,
  nullable: true,
});

/** The CSV as the contract has it, from the kit's own writer. */
export function csvOf({ columns, rows }: Pick<GivenTable, 'columns' | 'rows'>): Buffer {
  const writer = new CsvWriter();
  writer.header(columns.map(({ name }) => name));
  for (const row of rows) {
    for (const field of row) {
      if (field === null) writer.null();
      else writer.string(field);
    }
    writer.endRow();
  }
  return Buffer.concat(writer.flush().map(({ data }) => data));
}

/** Puts the table into the lake as a committed object. */
export async function exportGiven(lake: Lake, table: GivenTable): Promise<ManifestEntry> {
  const csv = csvOf(table);
  return exportBytes(lake, table, table.gzip ? gzipSync(csv) : csv);
}

/** Puts these bytes into the lake as the committed object of the table, whatever they are. */
export async function exportBytes(lake: Lake, given: GivenTable, body: Buffer): Promise<ManifestEntry> {
  const run_id = randomUUID();
  const key = `${given.database ?? 'mysql'}/${encodeName(given.table)}_${run_id}.csv${given.gzip ? '.gz' : ''}`;
  const pieces = async function* () {
    yield body;
  };
  await lake.create(key, pieces(), { contentType: 'text/csv' });
  return {
    key,
    url: lake.urlOf(key),
    bytes: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
    rows: given.rows.length,
    columns: [...given.columns],
    dropped_columns: [{ name: 'password', reason: 'built-in rule: password' }],
    consistency: 'snapshot',
    run_id,
    taken_at: '2025-01-02T15:30:45.000Z',
    sensitive_rules: null,
  };
}

/** The table under the name and types that statements see. */
export const declared = (
  { database = 'mysql', table }: Pick<GivenTable, 'database' | 'table'>,
  entry: ManifestEntry,
  columns: readonly DeclaredColumn[],
): QueryTable => ({ name: `${database}_${table}`, database, table, entry, columns });
