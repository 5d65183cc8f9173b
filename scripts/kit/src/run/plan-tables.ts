import type { DroppedColumn } from '../contract/columns';
import { configError } from '../errors';
import type { SensitiveRules } from '../sensitive/sensitive-rules';
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
 * Splits a table's columns into those that go and those that stay behind, and watches nested keys likewise. Throws
 * `configError` where a column that goes could be a sensitive one under another name.
 */
export function planTable(table: SourceTable, rules: SensitiveRules): PlannedTable {
  const dropped: DroppedColumn[] = [];
  const columns = table.columns.filter((column) => {
    const reason = reasonOf(table, [column.name], rules);
    if (reason !== null) dropped.push({ name: column.name, reason });
    return reason === null;
  });
  const unfollowed = columns.some(({ name }) => !table.origins?.has(name)) ? (table.unfollowed ?? []) : [];
  const secret = unfollowed.find((name) => rules.reason(table.name, [name], unfollowed));
  if (secret !== undefined) {
    throw configError(
      `${table.name} may take the sensitive column ${secret}, and the server does not tell which of its columns that becomes`,
      'Take it out of the view or dataset (in place of * name the columns), write it as one plain SELECT, or let the user look behind its views; SENSITIVE_COLUMNS_ALLOW exempts columns.',
    );
  }
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
    const end = path.slice(-rules.reach).join('\0');
    // A short path is told by its column, too, which may have come from elsewhere.
    const id = path.length > rules.reach ? `\0${end}` : end;
    let reason = decided.get(id);
    if (reason === undefined) {
      reason = reasonOf(table, path, rules);
      if (decided.size < MAX_REMEMBERED && id.length <= MAX_NAME_LENGTH) decided.set(id, reason);
    }
    if (reason !== null) tell(path, reason);
    return reason !== null;
  };
  return { table, columns, isSensitiveKey, dropped };
}

/** By the names that a value has, and by those where it comes from. */
function reasonOf(table: SourceTable, path: readonly string[], rules: SensitiveRules): string | null {
  const own = rules.reason(table.name, path, table.unfollowed);
  const origin = table.origins?.get(path[0]!);
  // Of a longer path the rules see only what is the same in both.
  if (own !== null || origin === undefined || path.length > rules.reach) return own;
  const whole = [...origin.path, ...path.slice(1)];
  // What lies inside of something sensitive is sensitive.
  const reasons = whole.map((_, i) => rules.reason(origin.table, whole.slice(0, i + 1)));
  return reasons.find((reason) => reason !== null) ?? null;
}

const shortened = (name: string): string =>
  name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH / 2)}…${name.slice(-MAX_NAME_LENGTH / 2)}`;
