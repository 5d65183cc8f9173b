import type { Column, Consistency } from './contract/columns';
import type { Dataset } from './contract/job';
import type { Lake } from './lake/lake';

/** A piece of a CSV file: whole bytes and the number of rows that end in them. */
export interface CsvChunk {
  /** Owned by the receiver: the producer never touches it again. */
  data: Buffer;
  rows: number;
}

/** A table's name, before anybody looked into it. */
export interface ListedTable {
  /** Result key, as people ask for it: `users`, or `ventas.users` outside the default schema. */
  name: string;
  /**
   * Views, and what lies outside of the database that the settings name: taken only by its full name, or by a glob that
   * spells out its schema (`ventas.*`).
   */
  onDemand: boolean;
}

/** The column of a table, or the value inside of one, that a column of a view or dataset is. */
export interface Origin {
  table: string;
  /** The column's name, then the keys down to the value. */
  path: readonly string[];
}

/** A table as a source discovered it. */
export interface SourceTable {
  /** As listed, or the dataset's name. */
  name: string;
  columns: Column[];
  /** Of a view's or dataset's columns that are plain values of a table: which. A sensitive one stays so under another name. */
  origins?: ReadonlyMap<string, Origin>;
  /**
   * Names of tables and columns that a view or dataset may take values from without telling which goes where: those in its
   * text, and what its `*` may stand for. A sensitive one among them is an error where a column has no origin.
   */
  unfollowed?: readonly string[];
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
  /** Setting `PARALLEL_TABLES`: so many tables may be read at once. At least 1. */
  parallelTables: number;
  /** Setting `PARALLEL_RANGES`: one big table may be read over so many connections. At least 1. */
  parallelRanges: number;
  /** The lake of the job, for sources whose data lies there. Closed by `runScript`. */
  lake(): Promise<Lake>;
}

/** Settings of one connection: every variable of `source.json` under its main name, defaults applied. */
export type SourceEnv = Readonly<Record<string, string>>;

/** One connection to a database, with its snapshot open where the engine has one. */
export interface SourceSession {
  readonly consistency: Consistency;
  /** The instant of the snapshot, by the server's clock where it tells one. */
  readonly takenAt: Date;
  /** So many `read`s may run at once, each over the same snapshot where `consistency` is `snapshot`. At least 1. */
  readonly parallelReads: number;
  /** All that the user may read, by name; cheap. */
  list(): Promise<ListedTable[]>;
  /** Columns and estimates of some of what was listed, in the order of `names`; without those that turn out to hold nothing to read. */
  describe(names: readonly string[]): Promise<SourceTable[]>;
  /**
   * Has the server check a named query without running it. Throws `configError` unless it is one statement that only
   * reads. Absent where the engine has no queries.
   */
  dataset?(dataset: Dataset): Promise<SourceTable>;
  /**
   * Throws `configError` where what is selected of a dataset cannot be read without what is not. Asked of every
   * selection before anything is read, in a dry run too.
   */
  check?(selection: TableSelection): void;
  /**
   * The CSV of one table or dataset, header line first, UTF-8, LF. Pulled as fast as the lake takes it; returning early
   * or the context's signal must free the connection. Only the columns of the selection may appear in the query. Throws
   * `ScriptError`.
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
