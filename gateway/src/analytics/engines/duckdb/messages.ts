import type { ManifestEntry } from '@ingesta/kit';
import type { ErrorCode } from '../../../errors';
import type { DeclaredTable, QueryTable, Statement } from '../engine';

/** What the child needs to know; the first message it gets. Secrets of the lake travel here and nowhere else. */
export interface WorkerSettings {
  /** Settings of the lake, as `openLake` reads them. */
  lakeEnv: Readonly<Record<string, string>>;
  /** Parquet files by identity; may be shared with other processes. */
  cacheFolder: string;
  /** The child's own, named by a UUID; removed when it is gone. */
  workFolder: string;
  cacheMiB: number;
  /** DuckDB's working memory; Node and the libraries come on top. */
  memoryMiB: number;
  threads: number;
  maxRows: number;
  maxBytes: number;
}

export type WorkerRequest =
  | { do: 'query'; tables: readonly QueryTable[]; statements: readonly Statement[] }
  | { do: 'describe'; tables: readonly DeclaredTable[]; statements: readonly Statement[] }
  | { do: 'twin' | 'repair'; database: string; table: string; entry: ManifestEntry };

/** An error as it crosses the channel. */
export type WorkerFailure =
  | { kind: 'api'; code: ErrorCode; message: string; hint: string; database: string | undefined; cause: string | null }
  | { kind: 'sql'; statement: number; message: string; offset: number | null };

export type ToWorker =
  | { type: 'open'; settings: WorkerSettings }
  | { type: 'request'; id: number; request: WorkerRequest }
  | { type: 'cancel'; id: number };

export type FromWorker =
  | { type: 'answer'; id: number; value: unknown }
  | { type: 'failure'; id: number; failure: WorkerFailure }
  | { type: 'warning'; message: string; fields: Readonly<Record<string, string>> };
