import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DuckDBInstance } from '@duckdb/node-api';
import { type Lake, parquetKey } from '@ingesta/kit';
import { readCurrent } from '../../../gateway/src/runs/publication';
import { median, timed } from '../statistics';
import { get } from './callers';
import type { DuckDbProgram } from './duckdb-program';
import type { BenchTable } from './tables';

/** Milliseconds from nothing to an answer and the twins of its tables in the lake, and what DuckDB alone takes; medians. */
export interface FirstLoad {
  route: string;
  csvBytes: number;
  ours: number;
  /** `COPY (FROM read_csv(…)) TO …` of the same files, by compression of the Parquet file. */
  own: {
    /** By DuckDB's own program, started for it as our engine is. */
    program: { zstd: number; snappy: number };
    /** In a connection that has done it before. */
    connection: number;
  };
}

export interface FirstLoadParts {
  lake: Lake;
  instance: DuckDBInstance;
  duckdb: DuckDbProgram;
  /** A folder for what DuckDB alone makes. */
  work: string;
  rounds: number;
  /** A gateway that has just started, with nothing in its cache. */
  withNewGateway: <T>(use: (gateway: { url: string }) => Promise<T>) => Promise<T>;
}

/** Measures the first question to a gateway that has nothing in its cache, on a lake without twins; in turns with DuckDB alone. */
export async function measureFirstLoad(
  { lake, instance, duckdb, work, rounds, withNewGateway }: FirstLoadParts,
  route: string,
  tables: readonly BenchTable[],
): Promise<FirstLoad> {
  const found = await Promise.all(
    tables.map(async ({ database, table }) => {
      const entry = (await readCurrent(lake, database))!.manifest!.tables[table]!;
      return { file: fileURLToPath(entry.url), twin: parquetKey(database, table, entry.run_id) };
    }),
  );
  const parquet = join(work, 'own.parquet');
  const copies = (compression: string) =>
    found.map(
      ({ file }) =>
        `COPY (FROM read_csv('${file}')) TO '${parquet}' (FORMAT parquet, COMPRESSION ${compression}, OVERWRITE true)`,
    );
  const inConnection = async () => {
    const connection = await instance.connect();
    for (const copy of copies('zstd')) await connection.run(copy);
    connection.closeSync();
  };
  const ours = async () => {
    for (const { twin } of found) await lake.delete(twin);
    return withNewGateway(({ url }) =>
      timed(async () => {
        await get(url + route);
        for (const { twin } of found) while ((await lake.head(twin)) === null) await sleep(5);
      }),
    );
  };
  // Everybody reads from the page cache: first everything once, unmeasured.
  await inConnection();
  const times = { ours: [] as number[], zstd: [] as number[], snappy: [] as number[], connection: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    times.zstd.push(await timed(() => duckdb(copies('zstd'))));
    times.ours.push(await ours());
    times.snappy.push(await timed(() => duckdb(copies('snappy'))));
    times.connection.push(await timed(inConnection));
  }
  await rm(parquet);
  const sizes = await Promise.all(found.map(async ({ file }) => (await stat(file)).size));
  return {
    route,
    csvBytes: sizes.reduce((sum, size) => sum + size, 0),
    ours: median(times.ours),
    own: {
      program: { zstd: median(times.zstd), snappy: median(times.snappy) },
      connection: median(times.connection),
    },
  };
}
