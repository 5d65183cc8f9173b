import type { DeclaredTable } from '../engines/engine';
import type { SharedStatement } from './pack';
import type { Report } from './pack-error';
import { sqlTokens } from './sql-tokens';
import type { UncheckedStatement } from './statement';

/** Gives each statement the `:table`s before it that it reads, itself or through others, in the order of the file. */
export function withShared(
  statements: readonly UncheckedStatement[],
  schema: ReadonlyMap<string, DeclaredTable>,
  report: Report,
): UncheckedStatement[] {
  const tables: UncheckedStatement[] = [];
  const read = new Set<string>();
  const found = statements.map((statement) => {
    const words = new Set(
      sqlTokens(statement.sql)
        .filter(({ kind }) => kind === 'word' || kind === 'quoted')
        .map(({ text }) => text.replaceAll('"', '').toLowerCase()),
    );
    const direct = tables.filter((table) => words.has(nameOf(table)));
    for (const table of direct) read.add(nameOf(table));
    if (direct.length > 0 && words.has('recursive')) {
      report(statement.line - 1, 'WITH RECURSIVE cannot read a ":table": put it into a WITH of this statement');
    }
    const names = new Set(direct.flatMap((table) => [...table.shared.map(({ name }) => name), nameOf(table)]));
    const shared = tables.filter((table) => names.has(nameOf(table))).map(sharedOf);
    const own = { ...statement, shared };
    if (statement.kind === 'table') {
      if (schema.has(nameOf(own))) report(own.line - 1, `${nameOf(own)} is a table of schema.sql already`);
      tables.push(own);
    }
    return own;
  });
  for (const table of tables) {
    if (!read.has(nameOf(table))) report(table.line - 1, `no statement behind it reads the table ${nameOf(table)}`);
  }
  return found;
}

const nameOf = ({ path }: UncheckedStatement): string => path.join('.').toLowerCase();

const sharedOf = (table: UncheckedStatement): SharedStatement => {
  const { sql, binds } = table;
  return { name: nameOf(table), sql, binds };
};
