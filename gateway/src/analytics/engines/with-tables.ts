/** A declared table and the FROM text that yields its columns. */
export interface TableText {
  name: string;
  /** `name` as the statements see it; `from` what the column is called in the object. */
  columns: readonly { name: string; from: string; type: string }[];
  /** Of the engine's own dialect: a Parquet file, a catalog's table. */
  from: string;
}

/** A SELECT whose rows the statement sees under a name, and the SELECTs behind it too. */
export interface SharedText {
  name: string;
  sql: string;
}

/** A statement that brings its tables along. */
export interface TextWithTables {
  sql: string;
  /** Offset into the statement that was given, or null where the position is in the added text. */
  offsetOf(position: number): number | null;
}

const TYPE = /^(bigint|double|boolean|varchar|date|timestamp(\(6\))?|decimal\(\d{1,2},\d{1,2}\))$/;

/** A name as SQL quotes it in every engine. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as SQL quotes it in every engine. */
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * Makes each table visible to `sql` as a common table expression of its declared columns and types, in syntax common to
 * DuckDB, Trino and Athena. A statement that starts with WITH keeps its own expressions behind these. `materialization` is
 * put before the parentheses where a dialect has such words. Placeholders keep their order: those of `shared` come first.
 */
export function withTables(
  sql: string,
  tables: readonly TableText[],
  materialization = '',
  shared: readonly SharedText[] = [],
): TextWithTables {
  if (tables.length + shared.length === 0) return { sql, offsetOf: (position) => position };
  const at = endOfWith(sql);
  // Trino then wants the columns of each expression named in front.
  const recursive = /RECURSIVE$/i.test(sql.slice(0, at ?? 0));
  const expressions = [
    ...tables.map((table) => expression(table, materialization, recursive)),
    // The line break ends a comment at the end.
    ...shared.map((table) => `${quoteName(table.name)} AS (${table.sql}\n)`),
  ].join(', ');
  const added = at === null ? `WITH ${expressions} ` : ` ${expressions},`;
  const start = at ?? 0;
  return {
    sql: sql.slice(0, start) + added + sql.slice(start),
    offsetOf: (position) => {
      if (position < start) return position;
      return position < start + added.length ? null : position - added.length;
    },
  };
}

function expression({ name, columns, from }: TableText, materialization: string, recursive: boolean): string {
  const list = columns.map((column) => {
    // Types are pasted, so they are looked at here also.
    if (!TYPE.test(column.type)) throw new Error(`${name}.${column.name} has the unknown type ${column.type}`);
    return `CAST(${quoteName(column.from)} AS ${column.type}) AS ${quoteName(column.name)}`;
  });
  const words = materialization && `${materialization} `;
  // A table of which nothing is declared can still be counted.
  const names = columns.map((column) => quoteName(column.name)).join(', ') || '"_"';
  return `${quoteName(name)}${recursive ? ` (${names})` : ''} AS ${words}(SELECT ${list.join(', ') || '1 AS "_"'} FROM ${from})`;
}

/** The offset behind `WITH` or `WITH RECURSIVE` at the start of a statement, comments skipped; null if it has none. */
function endOfWith(sql: string): number | null {
  const blanks = String.raw`(?:\s|--[^\n]*(?:\n|$)|/\*[\s\S]*?\*/)`;
  const start = new RegExp(`^${blanks}*WITH\\b(?:${blanks}+RECURSIVE\\b)?`, 'i').exec(sql);
  return start?.[0].length ?? null;
}
