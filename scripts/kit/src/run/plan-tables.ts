import type { DroppedColumn } from '../contract/columns';
import { configError } from '../errors';
import type { SensitiveRules } from '../sensitive/sensitive-rules';
import type { Origin, SourceTable, TableSelection } from '../source';

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
    const origin = table.origins?.get(column.name);
    const reason = rules.reason(table.name, [column.name]) ?? (origin && reasonOf(origin, rules));
    if (reason) dropped.push({ name: column.name, reason });
    return !reason;
  });
  const unfollowed = columns.some(({ name }) => !table.origins?.has(name)) ? (table.unfollowed ?? []) : [];
  const secret = unfollowed.find((name) => rules.reason(table.name, [name]));
  if (secret !== undefined) {
    throw configError(
      `${table.name} may take the sensitive column ${secret}, and the server does not tell which of its columns that becomes`,
      'Take it out of the view or dataset (in place of * name the columns), or write it as one plain SELECT; SENSITIVE_COLUMNS_ALLOW exempts columns.',
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

/** What lies inside of something sensitive is sensitive. */
function reasonOf({ table, path }: Origin, rules: SensitiveRules): string | null {
  for (const end of path.keys()) {
    const reason = rules.reason(table, path.slice(0, end + 1));
    if (reason) return reason;
  }
  return null;
}

const shortened = (name: string): string =>
  name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH / 2)}…${name.slice(-MAX_NAME_LENGTH / 2)}`;
