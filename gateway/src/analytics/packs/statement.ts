import { AS_OF, type RouteStatement, type StatementKind, type TableRef, tableRef } from './pack';
import type { Report } from './pack-error';
import { type Parameter, SQL_TYPES } from './parameter';
import { isUnclosed, type SqlToken, sqlTokens } from './sql-tokens';

/** What begins each statement: `-- name: demographics.by_gender :many if mysql.clients`; `.` is the answer itself. */
export const NAME_LINE = /^--\s*name:/;
const NAME = /^--\s*name:\s*(\.|[a-z_]\w*(?:\.[a-z_]\w*)*)\s+:(many|one|value|map|table)(?:\s+if\s+(.+?))?\s*$/;

/** With the tables that others read, which are no part of the answer. */
export interface UncheckedStatement extends Omit<RouteStatement, 'columns' | 'kind'> {
  kind: StatementKind | 'table';
  /** Something is wrong with it, and told. */
  flawed: boolean;
}

/** Reads one statement, whose name line is the file's line `line`. Null where it makes no sense at all. */
export function parseStatement(
  lines: readonly string[],
  line: number,
  parameters: readonly Parameter[],
  tell: Report,
): UncheckedStatement | null {
  let flawed = false;
  const report: Report = (at, message) => {
    flawed = true;
    tell(at, message);
  };
  const [, name, kind, conditions] = NAME.exec(lines[0]!) ?? [];
  if (name === undefined) {
    report(
      line,
      'a name is like: -- name: by_state :many   (or :one, :value, :map, :table; "if mysql.clients" may follow)',
    );
    return null;
  }
  const path = name === '.' ? [] : name.split('.');
  if (path.length === 0 && (kind === 'many' || kind === 'value')) {
    report(line, `":${kind}" needs a name; "." takes :one (its columns) or :map (key and value)`);
  }
  if (kind === 'table' && (path.length !== 1 || conditions !== undefined)) {
    report(line, '":table" is a plain name that the statements behind it read; no point, no condition');
  }
  const needs = (conditions ?? '').split(',').flatMap((text): TableRef[] => {
    const ref = tableRef(text.trim());
    if (ref === null && conditions !== undefined) report(line, `"${text.trim()}" is no table like mysql.clients`);
    return ref === null ? [] : [ref];
  });
  const text = withoutEnd(lines.slice(1).join('\n').trimEnd());
  const tokens = sqlTokens(text);
  const lineAt = (offset: number) => line + 1 + text.slice(0, offset).split('\n').length - 1;
  checkForm(tokens, line, (offset, message) => report(lineAt(offset), message), report);
  const { sql, binds } = bind(text, tokens, parameters, (offset, message) => report(lineAt(offset), message));
  return { path, kind: kind as UncheckedStatement['kind'], sql, binds, shared: [], needs, line: line + 1, flawed };
}

/** Without the semicolon behind the statement; the comments that follow it may be about the next one. */
function withoutEnd(text: string): string {
  const last = sqlTokens(text).findLast(({ kind }) => kind !== 'comment');
  return last?.text === ';' ? text.slice(0, last.at) + text.slice(last.at + 1) : text;
}

/** Exactly one SELECT, without what only one engine knows or what would have to be bound by hand. */
function checkForm(
  tokens: readonly SqlToken[],
  line: number,
  reportAt: (offset: number, message: string) => void,
  report: Report,
) {
  const code = tokens.filter(({ kind }) => kind !== 'comment');
  const first = code[0];
  if (first === undefined) return report(line, 'no SQL follows');
  const unclosed = code.find(isUnclosed);
  if (unclosed) return reportAt(unclosed.at, `${unclosed.text} is never closed`);
  const end = code.find(({ text }) => text === ';');
  if (end) reportAt(end.at, 'one statement stands behind a name: a second one begins behind this ;');
  const main = mainVerb(code);
  if (main?.text.toLowerCase() !== 'select') reportAt((main ?? first).at, 'only a SELECT may stand here');
  for (const { kind, text, at } of code) {
    if (kind !== 'symbol') continue;
    if (text === '?' || text === '$') reportAt(at, `"${text}" is no placeholder: declare a -- param: and write :name`);
    if (text === '::') reportAt(at, 'CAST(x AS type) instead of x::type: Trino and Athena do not know it');
  }
}

/** The verb of a statement: its first word, or behind WITH the first one outside of all parentheses. */
function mainVerb(code: readonly SqlToken[]): SqlToken | undefined {
  if (code[0]?.text.toLowerCase() !== 'with') return code.find(({ text }) => text !== '(');
  let depth = 0;
  for (const token of code) {
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    const verb = /^(select|insert|update|delete|merge|values|table|from)$/i.test(token.text);
    if (depth === 0 && token.kind === 'word' && verb) return token;
  }
  return undefined;
}

/** Placeholders become `?`, each of its declared type: what type a bare one has is another question in each engine. */
function bind(
  text: string,
  tokens: readonly SqlToken[],
  parameters: readonly Parameter[],
  reportAt: (offset: number, message: string) => void,
): { sql: string; binds: string[] } {
  const types = new Map<string, string>(parameters.map(({ name, type }) => [name, SQL_TYPES[type]]));
  types.set(AS_OF, 'date');
  const binds: string[] = [];
  let sql = '';
  let from = 0;
  for (const { kind, text: placeholder, at } of tokens) {
    if (kind !== 'placeholder') continue;
    const name = placeholder.slice(1);
    const type = types.get(name);
    if (type === undefined) reportAt(at, `unknown parameter :${name}; there are ${[...types.keys()].join(', ')}`);
    binds.push(name);
    sql += `${text.slice(from, at)}CAST(? AS ${type})`;
    from = at + placeholder.length;
  }
  return { sql: sql + text.slice(from), binds };
}
