import type { DeclaredTable, ResultColumn, SqlValue, Statement } from '../engines/engine';
import type { Parameter } from './parameter';

/** What a statement's rows become in the answer. */
export type StatementKind = 'many' | 'one' | 'value' | 'map';

/** A table that a route reads. */
export interface TableRef {
  database: string;
  table: string;
  /** How SQL calls it: `<database>_<table>`, in lower case, `-` as `_`. */
  name: string;
}

/** A SELECT that statements of a route share: `-- name: sold :table`. */
export interface SharedStatement {
  /** How the statements behind it call it. */
  name: string;
  /** With `?` for every placeholder. */
  sql: string;
  /** The parameter behind each `?`. */
  binds: readonly string[];
}

/** One named statement of a route, ready to be bound. */
export interface RouteStatement {
  /** Where its result goes: `['demographics', 'by_gender']`; empty for the answer itself. */
  path: readonly string[];
  kind: StatementKind;
  /** With `?` for every placeholder. */
  sql: string;
  /** The parameter behind each `?`; `as_of` among them. */
  binds: readonly string[];
  /** What it reads of the file's shared tables, also through others of them, in the file's order. */
  shared: readonly SharedStatement[];
  /** Left out where one of these is not there. */
  needs: readonly TableRef[];
  /** Line of the file where the SQL begins. */
  line: number;
  /** What it answers with, as the engine tells. */
  columns: readonly ResultColumn[];
}

/** The statement with its parameters' values, for an engine. */
export function boundStatement(
  { sql, binds, shared }: Pick<RouteStatement, 'sql' | 'binds' | 'shared'>,
  boundTo: (parameter: string) => SqlValue,
): Statement {
  const bound = (names: readonly string[]) => names.map(boundTo);
  const tables = shared.map((table) => ({ name: table.name, sql: table.sql, parameters: bound(table.binds) }));
  return { sql, parameters: bound(binds), ...(tables.length > 0 && { shared: tables }) };
}

/** One `.sql` file: a GET route. */
export interface AnalyticsRoute {
  pack: string;
  file: string;
  path: string;
  summary: string;
  description: string;
  /** Under what `GET /` counts it; the first part of its path unless the file says otherwise. */
  group: string;
  parameters: readonly Parameter[];
  /** Without these there is no answer. */
  tables: readonly TableRef[];
  /** Read where they are there. */
  uses: readonly TableRef[];
  statements: readonly RouteStatement[];
  /** Values of columns in the documentation's example. */
  example: Readonly<Record<string, string>>;
}

/** A folder of routes and the tables they know. */
export interface Pack {
  name: string;
  tables: ReadonlyMap<string, DeclaredTable>;
  routes: readonly AnalyticsRoute[];
}

/** `as_of`: the parameter that every statement may use; the date of the oldest data read. */
export const AS_OF = 'as_of';

/** `mysql.users` → the table, or null where it is no `<database>.<table>`. */
export function tableRef(text: string): TableRef | null {
  const [, database, table] = /^([a-z][a-z0-9-]*)\.([A-Za-z_]\w*)$/.exec(text) ?? [];
  if (database === undefined || table === undefined) return null;
  return { database, table, name: `${database.replaceAll('-', '_')}_${table}`.toLowerCase() };
}
