import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DuckDBInstance } from '@duckdb/node-api';
import type { Lake } from '@ingesta/kit';
import { readCurrent } from '../../../gateway/src/runs/publication';
import { timed } from '../statistics';
import { get } from './callers';
import type { BenchTable } from './tables';

/** Milliseconds from nothing to an answer and the twins of its tables in the lake, and what DuckDB alone takes. */
export interface FirstLoad {
  route: string;
  csvBytes: number;
  ours: number;
  /** `COPY (FROM read_csv(…)) TO …` of the same files, by compression of the Parquet file. */
  own: { zstd: number; snappy: number };
}

/** Measures the first question to a gateway that has nothing in its cache, on a lake without twins. */
export async function measureFirstLoad(
  { lake, instance, work }: { lake: Lake; instance: DuckDBInstance; work: string },
  gateway: string,
  route: string,
  tables: readonly BenchTable[],
): Promise<FirstLoad> {
  const found = await Promise.all(
    tables.map(async ({ database, table }) => (await readCurrent(lake, database))!.manifest!.tables[table]!),
  );
  const files = found.map(({ url }) => fileURLToPath(url));
  // Both read from the page cache: first everything once, unmeasured.
  const own = async (compression: string) => {
    for (const file of files) {
      const parquet = join(work, 'own.parquet');
      const connection = await instance.connect();
      await connection.run(
        `COPY (FROM read_csv('${file}')) TO '${parquet}' (FORMAT parquet, COMPRESSION ${compression})`,
      );
      connection.closeSync();
      await rm(parquet);
    }
  };
  await own('zstd');
  const times = { zstd: await timed(() => own('zstd')), snappy: await timed(() => own('snappy')) };
  const ours = await timed(async () => {
    await get(gateway + route);
    for (const [index, { database, table }] of tables.entries()) {
      const key = `_ingesta/parquet/${database}/${table}/${found[index]!.run_id}/data.parquet`;
      while ((await lake.head(key)) === null) await sleep(5);
    }
  });
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return { route, csvBytes: sizes.reduce((sum, size) => sum + size, 0), ours, own: times };
}
