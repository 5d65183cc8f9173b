import type { DeclaredTable } from '../engines/engine';
import { parseFrontMatter } from './front-matter';
import type { AnalyticsRoute, TableRef } from './pack';
import type { Report } from './pack-error';
import { withShared } from './shared-statements';
import { sqlTokens } from './sql-tokens';
import { NAME_LINE, parseStatement, type UncheckedStatement } from './statement';

/** A route whose SQL no engine has seen yet. */
export interface UncheckedRoute extends Omit<AnalyticsRoute, 'statements'> {
  routeLine: number;
  statements: readonly UncheckedStatement[];
}

/** Reads one `.sql` file of a pack, and checks all that needs no engine. */
export function parseRouteFile(
  { pack, file, text }: { pack: string; file: string; text: string },
  schema: ReadonlyMap<string, DeclaredTable>,
  report: Report,
): UncheckedRoute {
  // Editors of Windows put a mark of three bytes in front.
  const lines = text
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
    .split('\n');
  const starts = lines.flatMap((line, index) => (NAME_LINE.test(line) ? [index] : []));
  const matter = parseFrontMatter(lines.slice(0, starts[0] ?? lines.length), report);
  if (starts.length === 0) report(null, 'it has no line like: -- name: total :value');

  const parameters = matter.parameters.map(({ parameter }) => parameter);
  const parsed = starts.flatMap((start, index) => {
    const statement = parseStatement(lines.slice(start, starts[index + 1]), start + 1, parameters, report);
    return statement === null ? [] : [statement];
  });
  checkNames(parsed, report);
  const statements = withShared(parsed, schema, report);
  for (const { parameter, line } of matter.parameters) {
    const used = statements.some(({ binds }) => binds.includes(parameter.name));
    if (!used) report(line, `no statement uses :${parameter.name}`);
  }
  const tables = matter.tables.map(({ ref }) => ref);
  const uses = matter.uses.map(({ ref }) => ref);
  for (const { ref, line } of [...matter.tables, ...matter.uses]) {
    if (!schema.has(ref.name)) report(line, `schema.sql of the pack declares no table ${ref.name}`);
  }
  checkTables(statements, { schema, tables, uses }, report);
  const { route: path, routeLine, summary, description, group, example } = matter;
  return { pack, file, path, routeLine, summary, description, group, parameters, tables, uses, statements, example };
}

/** No two statements may write to the same place, nor one into the figure of another. */
function checkNames(statements: readonly UncheckedStatement[], report: Report) {
  const taken: string[] = [];
  for (const statement of statements) {
    const name = statement.path.join('.');
    if (name === '') continue;
    const clash = taken.find((other) => `${name}.`.startsWith(`${other}.`) || `${other}.`.startsWith(`${name}.`));
    if (clash === name) report(statement.line - 1, `the name ${name} stands twice`);
    else if (clash) report(statement.line - 1, `${name} and ${clash} cannot both be: one would hold the other`);
    taken.push(name);
  }
  const map = statements.find(({ path, kind }) => path.length === 0 && kind === 'map');
  if (map && statements.length > 1) {
    report(map.line - 1, '". :map" is the whole answer: no other statement may stand beside it');
  }
}

/** The SQL may read what the front matter names, and what is optional only where the statement says so. */
function checkTables(
  statements: readonly UncheckedStatement[],
  known: { schema: ReadonlyMap<string, DeclaredTable>; tables: readonly TableRef[]; uses: readonly TableRef[] },
  report: Report,
) {
  const read = new Set<string>();
  for (const { sql, line, needs } of statements) {
    for (const need of needs) {
      const optional = known.uses.some(({ name }) => name === need.name);
      if (!optional) report(line - 1, `${need.database}.${need.table} is not among "-- uses:"`);
    }
    for (const { kind, text, at } of sqlTokens(sql)) {
      const name = text.replaceAll('"', '').split('.')[0]!.toLowerCase();
      if ((kind !== 'word' && kind !== 'quoted') || !known.schema.has(name) || read.has(`${line} ${name}`)) continue;
      read.add(`${line} ${name}`).add(name);
      const allowed = [...known.tables, ...needs].some((ref) => ref.name === name);
      if (allowed) continue;
      const optional = known.uses.find((ref) => ref.name === name);
      const advice = optional
        ? `it is optional: put "if ${optional.database}.${optional.table}" behind the statement's name`
        : 'name it in "-- tables:" or "-- uses:"';
      report(line + sql.slice(0, at).split('\n').length - 1, `${name} is read here; ${advice}`);
    }
  }
  for (const ref of [...known.tables, ...known.uses]) {
    if (known.schema.has(ref.name) && !read.has(ref.name)) report(null, `no statement reads ${ref.name}`);
  }
}
