import { median } from '../statistics';
import type { LoadedTable } from './dataset/loaded-table';
import type { Engine } from './engines';
import { runRounds } from './rounds';

/** What this project's script took for a table of so many rows. */
export interface SeriesPoint {
  readonly rows: number;
  readonly to: 'folder' | 'S3';
  /** Median milliseconds. */
  readonly ms: number;
  readonly peakRss: number | null;
}

/** Counted rounds per size: what is asked about here is the slope, not a contest. */
const ROUNDS = 3;
/** From so many rows on a single run tells enough: what disturbs it is short beside it. */
const ONCE_FROM = 5_000_000;

/** Sizes of the series; the empty table tells what starting and connecting take. */
export const seriesSizes = (largest: number): number[] =>
  [0, 10_000, 100_000, 1_000_000, largest].filter((rows, i, sizes) => rows <= largest && sizes.indexOf(rows) === i);

/**
 * Measures the script, as a process into a folder, at each size, and of the largest once into a bucket, too. A table that
 * is already there is used.
 */
export async function measureSeries(
  engine: Engine,
  sizes: readonly number[],
  present: LoadedTable | undefined,
  say: (line: string) => void,
): Promise<SeriesPoint[]> {
  const points: SeriesPoint[] = [];
  for (const rows of sizes) {
    const reused = present?.rows === rows ? present : undefined;
    if (!reused) say(`loading ${rows} rows`);
    const table = reused ?? (await engine.load(rows));
    try {
      const script = rows < ONCE_FROM ? engine.script() : { ...engine.script(), atMost: 1 };
      const toS3 = rows === Math.max(...sizes) ? [{ ...engine.scriptToS3(), atMost: 1 }] : [];
      const figures = await runRounds([script, ...toS3], table, ROUNDS, say);
      for (const [i, { problem, runs, peakRss }] of figures.entries()) {
        if (problem !== undefined) throw new Error(`series, ${rows} rows: ${problem}`);
        points.push({ rows, to: i === 0 ? 'folder' : 'S3', ms: median(runs), peakRss });
      }
    } finally {
      if (!reused) await table.drop();
    }
  }
  return points;
}
