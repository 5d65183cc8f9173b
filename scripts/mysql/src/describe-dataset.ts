import { type Column, configError, type Dataset } from '@ingesta/kit';
import type { Connection } from 'mysql2';
import { prepare, unprepare } from './connect';
import type { MysqlTable } from './describe-tables';
import type { Lineages } from './lineage';
import { resultColumn, type WireColumn } from './wire-columns';

interface Prepared {
  columns: readonly WireColumn[];
  parameters: readonly unknown[];
}

const HINT = 'A dataset is one SELECT that takes no locks. Correct the file; the mysql client tells where it is wrong.';

/** Literals, quoted names and comments: what stands in them is not the statement's own. */
const OPAQUE = /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`|\/\*[\s\S]*?\*\/|--\s[^\n]*|#[^\n]*/g;
const LOCKING = /\bfor\s+(?:update|share)\b|\block\s+in\s+share\s+mode\b/i;

/**
 * Has the server parse a query without running it. It must stand as a statement of its own (one, and no more) and as a
 * table in another's FROM (so it only reads). Throws `configError` with the server's words.
 */
export async function describeDataset(
  connection: Connection,
  { name, text }: Dataset,
  lineages: Lineages,
): Promise<Omit<MysqlTable, 'inSnapshot'>> {
  const { sql, bare } = statementOf(text);
  // The line's end closes a comment in the last line.
  const from = `(${sql}\n) AS dataset`;
  const wrong = (problem: string) => configError(`Dataset ${name}: ${problem}`, HINT);
  if (LOCKING.test(bare)) throw wrong('it locks the rows it reads');
  const { columns, parameters } = await parse(connection, sql, wrong);
  if (parameters.length > 0) throw wrong('it has placeholders (?), for which there are no values');
  await parse(connection, `SELECT * FROM ${from}`, wrong);
  const described = columns.map(resultColumn);
  const texts = described.filter(({ logical_type }) => logical_type === 'text');
  return {
    name,
    from,
    columns: described,
    ...(await lineages.ofStatement(sql, columns)),
    estimatedRows: null,
    hiddenColumns: [],
    maybeJson: texts.map((column: Column) => column.name),
  };
}

/** The statement without semicolons and comments behind it, and what of it is neither literal, name nor comment. */
function statementOf(text: string): { sql: string; bare: string } {
  const masked = text.replace(OPAQUE, (part) => (/^['"`]/.test(part) ? 'x' : ' ').repeat(part.length));
  const bare = masked.replace(/[\s;]+$/, '');
  return { sql: text.slice(0, bare.length), bare };
}

async function parse(connection: Connection, sql: string, wrong: (problem: string) => Error): Promise<Prepared> {
  try {
    return (await prepare(connection, sql)) as unknown as Prepared;
  } catch (error) {
    // What the server says of the statement has a number of its own; a lost connection has none.
    const { errno, message } = error as { errno?: number; message: string };
    throw (errno ?? 0) > 0 ? wrong(message) : error;
  } finally {
    unprepare(connection, sql);
  }
}
