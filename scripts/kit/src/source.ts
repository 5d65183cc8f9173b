import type { Column, Consistency } from './contract/columns';

/** A piece of a CSV file: whole bytes and the number of rows that end in them. */
export interface CsvChunk {
  /** Owned by the receiver: the producer never touches it again. */
  data: Buffer;
  rows: number;
}

/** A table as a source discovered it. */
export interface SourceTable {
  /** Result key, as people ask for it: `users`, or `ventas.users` outside the default schema. */
  name: string;
  columns: Column[];
  /** From the engine's statistics; null where there are none. */
  estimatedRows: number | null;
}

/** What to read of one table: `columns` is what remains after the sensitive ones are gone, in order. */
export interface TableSelection {
  table: SourceTable;
  columns: Column[];
  /** True for a key inside a JSON value that must not leave: `path` is the column name, then the keys down to it. */
  isSensitiveKey: (path: readonly string[]) => boolean;
}

export interface SourceContext {
  /** Aborted by SIGTERM, the deadline or another table's failure: close sockets at once, read no further. */
  signal: AbortSignal;
  log(level: 'debug' | 'info' | 'warn', message: string): void;
  /** Goes into the result's `warnings`. */
  warn(message: string): void;
}

/** Settings of one connection: every variable of `source.json` under its main name, defaults applied. */
export type SourceEnv = Readonly<Record<string, string>>;

/** One connection to a database, with its snapshot open where the engine has one. */
export interface SourceSession {
  readonly consistency: Consistency;
  /** The instant of the snapshot, by the server's clock where it tells one. */
  readonly takenAt: Date;
  /** All that the user may read, by name. */
  tables(): Promise<SourceTable[]>;
  /**
   * The CSV of one table, header line first, UTF-8, LF. Pulled as fast as the lake takes it; returning early or the
   * context's signal must free the connection. Only the columns of the selection may appear in the query. Throws
   * `ScriptError`. Iterations run one after the other.
   */
  read(selection: TableSelection): AsyncIterable<CsvChunk>;
  /** Ends the connection; safe after a failure, safe twice. */
  close(): Promise<void>;
}

/** What a script implements; `runScript` does the rest. */
export interface Source {
  /** Connects and opens the snapshot. Throws `ScriptError` (`unavailable`, `refused`, `configError`). */
  connect(env: SourceEnv, context: SourceContext): Promise<SourceSession>;
}
