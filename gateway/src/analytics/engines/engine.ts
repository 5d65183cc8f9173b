import type { ManifestEntry } from '@ingesta/kit';

/** A bound parameter, or one field of an answer. Integers beyond 2^53 come as text. */
export type SqlValue = string | number | boolean | null;

/** One SELECT. Each `?` outside of literals and comments takes the next parameter; values are bound, never pasted. */
export interface Statement {
  sql: string;
  parameters: readonly SqlValue[];
  /** What it reads beside the tables of the query, in this order: each may read those before it. */
  shared?: readonly SharedTable[];
}

/**
 * The rows of a SELECT, which several statements of a query read under `name`. An engine may compute them once for all of
 * them: equal names in one query mean equal SQL and parameters.
 */
export interface SharedTable {
  name: string;
  sql: string;
  parameters: readonly SqlValue[];
}

/** The parameters in the order of the question marks, where the shared tables stand before the statement. */
export const parametersWithShared = ({ parameters, shared = [] }: Statement): SqlValue[] => [
  ...shared.flatMap((table) => table.parameters),
  ...parameters,
];

/** A column as a pack declares it: the statements see it under this SQL type, whatever the source delivered. */
export interface DeclaredColumn {
  name: string;
  /** One of the types that every engine knows: `bigint`, `double`, `decimal(p,s)`, `boolean`, `varchar`, `date`, `timestamp`. */
  type: string;
}

/** A table under the name that SQL uses: `mysql_users`. */
export interface DeclaredTable {
  name: string;
  columns: readonly DeclaredColumn[];
}

/** A declared table, bound to the one committed object that a query reads. */
export interface QueryTable extends DeclaredTable {
  database: string;
  /** Result key in the manifest: `users`. */
  table: string;
  entry: ManifestEntry;
}

/** What a column of an answer is in JSON; dates and instants are ISO text. */
export interface ResultColumn {
  name: string;
  type: 'integer' | 'number' | 'boolean' | 'string' | 'date' | 'date-time';
}

export interface ResultSet {
  columns: readonly ResultColumn[];
  /** In the order of the statement's ORDER BY; values in the order of `columns`. */
  rows: readonly (readonly SqlValue[])[];
}

/**
 * Runs the statements of one route over one set of committed objects.
 *
 * Every statement of a `query` reads exactly the given entries, also when something is published meanwhile; the adapter
 * makes each table visible under its declared name and types. Safe to call concurrently. When `signal` is aborted the
 * query is killed in the engine too, and the call throws the signal's reason. Throws `ApiError`: `LAKE_UNAVAILABLE`,
 * `LAKE_DENIED`, `RESULT_TOO_LARGE`, or `INTERNAL` with the engine's words as cause.
 */
export interface Engine {
  readonly name: 'duckdb' | 'athena' | 'trino';
  /** One result set per statement. */
  query(tables: readonly QueryTable[], statements: readonly Statement[], signal: AbortSignal): Promise<ResultSet[]>;
  /** Ends child processes and connections; safe twice. */
  close(): Promise<void>;
}

/** Checks SQL against declared tables without any data. */
export interface SqlChecker {
  /** The columns each statement answers with. Throws `SqlProblem` for the first that is wrong. */
  describe(tables: readonly DeclaredTable[], statements: readonly Statement[]): Promise<ResultColumn[][]>;
}

/** A statement that the engine does not take. */
export class SqlProblem extends Error {
  override readonly name = 'SqlProblem';
  constructor(
    /** Position in the list that was given. */
    readonly statement: number,
    /** The engine's words. */
    message: string,
    /** Offset into the statement's text where the engine points to one. */
    readonly offset: number | null,
    /** `cause`: the engine's own error. */
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
