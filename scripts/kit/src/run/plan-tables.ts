import type { DroppedColumn } from '../contract/columns';
import { EXIT } from '../contract/exit-codes';
import { ScriptError } from '../errors';
import { globToRegExp, type SensitiveRules } from '../sensitive/sensitive-rules';
import type { SourceTable, TableSelection } from '../source';

/** Documents may use keys as data (ids): past this many, names are neither remembered nor told. */
const MAX_REMEMBERED = 10_000;
const MAX_TOLD = 1_000;
/** Keys longer than this are data. */
const MAX_NAME_LENGTH = 200;

/** A selection with what was left out of it; `dropped` grows while JSON values are filtered. */
export interface PlannedTable extends TableSelection {
  dropped: DroppedColumn[];
}

/**
 * The tables to take: those the request names, else those of `<PREFIX>TABLES` (names and globs, `!` excludes), else
 * all. Throws `TABLE_NOT_FOUND` for a plain name that does not exist.
 */
export function selectTables(
  found: SourceTable[],
  requested: string[] | null,
  setting: string | undefined,
): SourceTable[] {
  if (requested) return byName(found, [...new Set(requested)]);
  const patterns = (setting ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const included = patterns.filter((pattern) => !pattern.startsWith('!'));
  const excluded = patterns
    .filter((pattern) => pattern.startsWith('!'))
    .map((pattern) => globToRegExp(pattern.slice(1)));
  // A plain name that is missing is a mistake worth stopping for; a glob may match nothing.
  byName(
    found,
    included.filter((pattern) => !/[*?]/.test(pattern)),
  );
  const includes = included.map((pattern) => globToRegExp(pattern));
  return found.filter(
    ({ name }) =>
      (includes.length === 0 || includes.some((glob) => glob.test(name))) && !excluded.some((glob) => glob.test(name)),
  );
}

function byName(found: SourceTable[], names: string[]): SourceTable[] {
  const missing = names.filter((name) => !found.some((table) => table.name === name));
  if (missing.length === 0) return found.filter((table) => names.includes(table.name));
  const existing = found.map((table) => table.name).sort();
  const listed = existing.slice(0, 50).join(', ') || '(none)';
  const rest = existing.length > 50 ? ` and ${existing.length - 50} more` : '';
  throw new ScriptError(
    EXIT.TABLE_NOT_FOUND,
    'TABLE_NOT_FOUND',
    `Table not found: ${missing.join(', ')}`,
    `The user can read: ${listed}${rest}.`,
  );
}

/** Splits a table's columns into those that go and those that stay behind, and watches nested keys likewise. */
export function planTable(table: SourceTable, rules: SensitiveRules): PlannedTable {
  const dropped: DroppedColumn[] = [];
  const columns = table.columns.filter((column) => {
    const reason = rules.reason(table.name, [column.name]);
    if (reason) dropped.push({ name: column.name, reason });
    return !reason;
  });
  // Keys repeat in every row: decide each once.
  const decided = new Map<string, string | null>();
  const told = new Set(dropped.map(({ name }) => name));
  const tell = (path: readonly string[], reason: string) => {
    if (told.size > MAX_TOLD) return;
    const name = shortened(path.join('.'));
    if (told.has(name)) return;
    told.add(name);
    const rest = {
      name: '…',
      reason: `more than ${MAX_TOLD} different names were left out: the others are not listed`,
    };
    dropped.push(told.size > MAX_TOLD ? rest : { name, reason });
  };
  const isSensitiveKey = (path: readonly string[]) => {
    const id = path.slice(-rules.reach).join('\0');
    let reason = decided.get(id);
    if (reason === undefined) {
      reason = rules.reason(table.name, path);
      if (decided.size < MAX_REMEMBERED && id.length <= MAX_NAME_LENGTH) decided.set(id, reason);
    }
    if (reason !== null) tell(path, reason);
    return reason !== null;
  };
  return { table, columns, isSensitiveKey, dropped };
}

const shortened = (name: string): string =>
  name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH / 2)}…${name.slice(-MAX_NAME_LENGTH / 2)}`;
