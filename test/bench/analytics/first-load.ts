import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DuckDBInstance } from '@duckdb/node-api';
import { type Lake, parquetKey, pointerKey } from '@ingesta/kit';
import { readCurrent } from '../../../gateway/src/runs/publication';
import { median, timed } from '../statistics';
import { get } from './callers';
import type { BenchTable } from './tables';

/** Milliseconds from nothing to an answer and the twins of its tables in the lake, and what DuckDB alone takes; medians. */
export interface FirstLoad {
  route: string;
  csvBytes: number;
  ours: number;
  /** `COPY (FROM read_csv(…)) TO …` of the same files, by compression of the Parquet file. */
  own: { zstd: number; snappy: number };
}

export interface FirstLoadParts {
  lake: Lake;
  instance: DuckDBInstance;
  /** A folder for what DuckDB alone makes. */
  work: string;
  rounds: number;
  /** A gateway that has just started, with nothing in its cache. */
  withNewGateway: <T>(use: (gateway: { url: string }) => Promise<T>) => Promise<T>;
}

/** Measures the first question to a gateway that has nothing in its cache, on a lake without twins; in turns with DuckDB alone. */
export async function measureFirstLoad(
  { lake, instance, work, rounds, withNewGateway }: FirstLoadParts,
  route: string,
  tables: readonly BenchTable[],
): Promise<FirstLoad> {
  const found = await Promise.all(
    tables.map(async ({ database, table }) => {
      const entry = (await readCurrent(lake, database))!.manifest!.tables[table]!;
      return { file: fileURLToPath(entry.url), twin: parquetKey(database, table, entry.run_id) };
    }),
  );
  const own = async (compression: string) => {
    for (const { file } of found) {
      const parquet = join(work, 'own.parquet');
      const connection = await instance.connect();
      await connection.run(
        `COPY (FROM read_csv('${file}')) TO '${parquet}' (FORMAT parquet, COMPRESSION ${compression})`,
      );
      connection.closeSync();
      await rm(parquet);
    }
  };
  const databases = new Set(tables.map(({ database }) => database));
  const pointers = [...databases].map((database) => fileURLToPath(lake.urlOf(pointerKey(database))));
  const ours = async () => {
    for (const { twin } of found) await lake.delete(twin);
    // A gateway makes the twins that it misses at its start: here it sees the snapshots only when it is asked.
    for (const pointer of pointers) await rename(pointer, `${pointer}.hidden`);
    return withNewGateway(async ({ url }) => {
      for (const pointer of pointers) await rename(`${pointer}.hidden`, pointer);
      return timed(async () => {
        await get(url + route);
        for (const { twin } of found) while ((await lake.head(twin)) === null) await sleep(5);
      });
    });
  };
  // Both read from the page cache: first everything once, unmeasured.
  await own('zstd');
  const times = { zstd: [] as number[], ours: [] as number[], snappy: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    times.zstd.push(await timed(() => own('zstd')));
    times.ours.push(await ours());
    times.snappy.push(await timed(() => own('snappy')));
  }
  const sizes = await Promise.all(found.map(async ({ file }) => (await stat(file)).size));
  return {
    route,
    csvBytes: sizes.reduce((sum, size) => sum + size, 0),
    ours: median(times.ours),
    own: { zstd: median(times.zstd), snappy: median(times.snappy) },
  };
}
