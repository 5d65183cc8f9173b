import { type DeclaredTable, type ResultColumn, type SqlChecker, SqlProblem, type Statement } from '../engines/engine';
import { type AnalyticsRoute, AS_OF, boundStatement } from './pack';
import type { Report } from './pack-error';
import type { UncheckedRoute } from './route-file';
import type { UncheckedStatement } from './statement';

/** Has an engine look at every statement of a pack; what it answers with becomes part of the route. */
export async function checkSql(
  routes: readonly UncheckedRoute[],
  tables: readonly DeclaredTable[],
  checker: SqlChecker,
  reportFor: (file: string) => Report,
): Promise<AnalyticsRoute[]> {
  const all = routes.flatMap((route) => route.statements.map((statement) => ({ route, statement })));
  const sound = all.filter(({ statement }) => statement.flawed).reduce(without, all);
  const described = await describeAll(sound, tables, checker, reportFor);
  return routes.map(({ routeLine: _, statements, ...route }) => {
    const report = reportFor(route.file);
    const checked = statements.flatMap((statement) => {
      const columns = described.get(statement);
      if (columns === undefined) return [];
      checkColumns(statement, columns, report);
      const { kind, flawed: _, ...own } = statement;
      return kind === 'table' ? [] : [{ ...own, kind, columns }];
    });
    checkAnswer(checked, report);
    return { ...route, statements: checked };
  });
}

interface Asked {
  route: UncheckedRoute;
  statement: UncheckedStatement;
}

/** All but a wrong statement and its readers: who reads a wrong table is not wrong for that. */
function without(all: readonly Asked[], wrong: Asked): readonly Asked[] {
  const name = wrong.statement.path.join('.').toLowerCase();
  const reads = ({ shared }: UncheckedStatement) => shared.some((table) => table.name === name);
  return all.filter(
    ({ route, statement }) => statement !== wrong.statement && !(route === wrong.route && reads(statement)),
  );
}

/** One question for all statements; again without those that are wrong, so that all of them are told at once. */
async function describeAll(
  all: readonly Asked[],
  tables: readonly DeclaredTable[],
  checker: SqlChecker,
  reportFor: (file: string) => Report,
): Promise<Map<UncheckedStatement, readonly ResultColumn[]>> {
  for (let left = all; left.length > 0; ) {
    try {
      const columns = await checker.describe(
        tables,
        left.map(({ route, statement }) => sampleOf(route, statement)),
      );
      return new Map(left.map(({ statement }, index) => [statement, columns[index]!]));
    } catch (error) {
      if (!(error instanceof SqlProblem)) throw error;
      const wrong = left[error.statement]!;
      const { route, statement } = wrong;
      const before = statement.sql.slice(0, error.offset ?? 0);
      reportFor(route.file)(statement.line + before.split('\n').length - 1, error.message);
      left = without(left, wrong);
    }
  }
  return new Map();
}

/** With parameters as a caller might give them. */
function sampleOf(route: UncheckedRoute, statement: UncheckedStatement): Statement {
  const values = new Map(
    route.parameters.map(({ name, type, fallback, min, choices }) => {
      const some = { integer: 1, number: 1, text: '', date: '2025-01-02', choice: choices[0] ?? '' }[type];
      return [name, fallback ?? min ?? some];
    }),
  );
  values.set(AS_OF, '2025-01-02');
  return boundStatement(statement, (name) => values.get(name) ?? null);
}

function checkColumns({ kind, line }: UncheckedStatement, columns: readonly ResultColumn[], report: Report) {
  const names = columns.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) report(line, `two columns are called ${twice}: name them with AS`);
  const unnamed = names.find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (unnamed !== undefined && kind !== 'value' && kind !== 'map') {
    report(line, `a column is called ${unnamed}: give it a name with AS, in snake_case`);
  }
  if (kind === 'value' && columns.length !== 1) report(line, `":value" is one column, these are ${columns.length}`);
  if (kind === 'map' && columns.length !== 2) {
    report(line, `":map" is two columns, key and value; these are ${columns.length}`);
  }
}

/** The columns that a statement puts on top of the answer stand beside the names of the others. */
function checkAnswer(statements: AnalyticsRoute['statements'], report: Report) {
  const taken = new Set<string>([AS_OF]);
  // A name that statements give themselves may hold several figures.
  const figures = new Set<string>([AS_OF]);
  for (const { path, columns, line, kind } of statements) {
    const names = path.length > 0 ? [path[0]!] : kind === 'map' ? [] : columns.map(({ name }) => name);
    for (const name of names) {
      if ((path.length === 0 ? taken : figures).has(name)) report(line, `the answer has two fields called ${name}`);
    }
    for (const name of names) {
      taken.add(name);
      if (path.length === 0) figures.add(name);
    }
  }
}
