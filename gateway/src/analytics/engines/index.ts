import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLake } from '@ingesta/kit';
import { awsSettings } from '../../aws-settings';
import { Catalog } from '../../catalog/catalog';
import { Glue } from '../../catalog/glue';
import { GlueRunTables } from '../../catalog/glue-run-tables';
import { childEnv, lakeEnv } from '../../child-surroundings';
import type { Config } from '../../config';
import type { Log } from '../../log';
import { AthenaRunner } from './athena/athena-runner';
import { DistributedEngine } from './distributed/distributed-engine';
import type { RunTables } from './distributed/run-tables';
import type { SqlRunner } from './distributed/sql-runner';
import { DuckDbChild } from './duckdb/duckdb-child';
import { DuckDbEngine } from './duckdb/duckdb-engine';
import type { Engine, SqlChecker } from './engine';
import { TrinoRunner } from './trino/trino-runner';
import { TrinoTables } from './trino/trino-tables';
import type { TwinMaker } from './twin';

/** What analytics need: the engine that answers, the one that checks SQL at start, and the maker of twins. */
export interface EngineSet {
  engine: Engine;
  checker: SqlChecker;
  twins: TwinMaker;
  /** Null where no catalog is kept. */
  catalog: Catalog | null;
  /** Ends all of them; safe twice. */
  close(): Promise<void>;
}

/** The child leaves after so long without a query. */
const IDLE_MS = 60_000;
/** Of the answers of one query. */
const MAX_ROWS = 100_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** The engines that the configuration names. `bundles` is the folder with `duckdb-worker.js`. Nothing starts here. */
export function createEngine(config: Config, bundles: string, log: Log): EngineSet {
  const child = new DuckDbChild({
    program: join(bundles, 'duckdb-worker.js'),
    settings: {
      lakeEnv: lakeEnv(config.env),
      cacheFolder: config.analyticsCacheDir ?? join(tmpdir(), `ingesta-cache-${process.getuid?.() ?? 'user'}`),
      cacheMiB: config.analyticsCacheMiB,
      memoryMiB: config.duckdbMemoryMiB,
      threads: config.duckdbThreads,
      maxRows: MAX_ROWS,
      maxBytes: MAX_BYTES,
    },
    env: childEnv(config.env),
    idleMs: IDLE_MS,
    warn: (message, fields) => log.warn(message, fields),
  });
  // Twins and the check of SQL are DuckDB's, whichever engine answers.
  const duckdb = new DuckDbEngine(child);
  let lake: ReturnType<typeof openLake> | undefined;
  const folderUrl = async (key: string) => {
    lake ??= openLake(config.env);
    const url = (await lake).urlOf(key);
    return url.slice(0, url.lastIndexOf('/') + 1);
  };
  const glue = config.glueCatalog ? new Glue(config.glueDatabase, awsSettings(config.env, 'GLUE')) : null;
  const server = serverOf(config, glue, log);
  const limits = { maxRows: MAX_ROWS, maxBytes: MAX_BYTES };
  return {
    engine: server === null ? duckdb : new DistributedEngine({ ...server, twins: duckdb, folderUrl, limits }),
    checker: duckdb,
    twins: duckdb,
    catalog: glue && new Catalog({ glue, twins: duckdb, folderUrl, log }),
    close: async () => {
      await duckdb.close();
      await (await lake)?.close();
    },
  };
}

/** Adapters are listed by hand. Null for DuckDB, which is no server. */
function serverOf(config: Config, glue: Glue | null, log: Log): { runner: SqlRunner; tables: RunTables } | null {
  const warn = (message: string, fields: Record<string, string>) => void log.warn(message, fields);
  const inGlue = glue && new GlueRunTables(glue, warn);
  if (config.trino) {
    const runner = new TrinoRunner(config.trino, warn);
    return { runner, tables: inGlue ?? new TrinoTables(runner, config.trino.schema, warn) };
  }
  if (config.athena && inGlue) {
    const aws = awsSettings(config.env, 'ATHENA');
    const runner = new AthenaRunner({ ...config.athena, database: config.glueDatabase, aws }, warn);
    return { runner, tables: inGlue };
  }
  return null;
}
