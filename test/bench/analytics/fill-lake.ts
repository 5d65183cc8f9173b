import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBInstance } from '@duckdb/node-api';
import type { Lake, ManifestEntry } from '@ingesta/kit';
import { commitEntries } from '../../../gateway/src/testing/commit-snapshot';
import type { BenchTable } from './tables';

const RUN_ID = '01890a5d-ac96-774b-bcce-b302099a8057';
const TAKEN_AT = '2026-11-03T12:00:00.000Z';

/** Writes the tables as CSVs of the contract into the lake and commits them, as runs would; `work` is for what is under way. */
export async function fillLake(
  lake: Lake,
  tables: readonly BenchTable[],
  instance: DuckDBInstance,
  work: string,
): Promise<void> {
  const databases = new Map<string, Record<string, ManifestEntry>>();
  for (const given of tables) {
    const { database, table } = given;
    databases.set(database, { ...databases.get(database), [table]: await exportTable(lake, given, instance, work) });
  }
  for (const [database, entries] of databases) {
    await commitEntries(lake, database, entries, { runId: RUN_ID, takenAt: TAKEN_AT });
  }
}

async function exportTable(
  lake: Lake,
  { database, table, rows, columns }: BenchTable,
  instance: DuckDBInstance,
  work: string,
): Promise<ManifestEntry> {
  const csv = join(work, `${database}-${table}.csv`);
  const connection = await instance.connect();
  const list = columns.map(({ sql, name }) => `${sql} AS "${name}"`).join(', ');
  await connection.run(`COPY (SELECT ${list} FROM range(${rows}) t(n)) TO '${csv}' (FORMAT csv, HEADER)`);
  connection.closeSync();
  const key = `${database}/${table}_20261103_120000.csv`;
  const { bytes, sha256 } = await lake.create(key, createReadStream(csv, { highWaterMark: 2 ** 20 }), {
    contentType: 'text/csv',
  });
  await rm(csv);
  return {
    ...{ key, url: lake.urlOf(key), bytes, sha256, rows },
    columns: columns.map(({ sql: _, ...column }) => column),
    ...{ dropped_columns: [], consistency: 'snapshot', run_id: RUN_ID, taken_at: TAKEN_AT, sensitive_rules: null },
  };
}
