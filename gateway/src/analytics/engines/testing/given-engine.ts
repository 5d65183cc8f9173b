import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDbChild, type DuckDbChildOptions } from '../duckdb/duckdb-child';
import { DuckDbEngine } from '../duckdb/duckdb-engine';
import type { WorkerSettings } from '../duckdb/messages';

/** DuckDB with a cache folder of its own. */
export interface GivenEngine {
  engine: DuckDbEngine;
  child: DuckDbChild;
  cacheFolder: string;
  warnings: string[];
  /** Another process over the same cache folder. */
  neighbour(): GivenEngine;
  close(): Promise<void>;
}

/** The bundle as it is shipped: `node build.mjs gateway` makes it. */
const PROGRAM = join(__dirname, '../../../../dist/duckdb-worker.js');

export async function givenEngine(
  lakeEnv: Record<string, string>,
  settings: Partial<WorkerSettings> = {},
  options: Partial<DuckDbChildOptions> = {},
): Promise<GivenEngine> {
  const cacheFolder = await mkdtemp(join(tmpdir(), 'ingesta-cache-test-'));
  const start = (): GivenEngine => {
    const warnings: string[] = [];
    const child = new DuckDbChild({
      program: PROGRAM,
      settings: {
        lakeEnv,
        cacheFolder,
        cacheMiB: 512,
        memoryMiB: 256,
        threads: 2,
        maxRows: 100_000,
        maxBytes: 16 * 1024 * 1024,
        ...settings,
      },
      env: { PATH: process.env.PATH ?? '' },
      idleMs: 60_000,
      warn: (message, fields) => warnings.push(`${message} ${JSON.stringify(fields)}`),
      ...options,
    });
    const engine = new DuckDbEngine(child);
    const close = async () => {
      await engine.close();
      await rm(cacheFolder, { recursive: true, force: true });
    };
    return { engine, child, cacheFolder, warnings, neighbour: start, close };
  };
  return start();
}
