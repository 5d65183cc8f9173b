import { checkTemplate, encodeName, type KeyTemplate, keysByTable } from './key-template';
import { DEFAULT_KEY_TEMPLATE } from './keys';

const PLACEHOLDERS = ['{db}', '{table}'];

/** What a run's own keys have, whatever their template. */
const TIMESTAMP = /\d{8}_\d{6}/;

/**
 * The key of each table's stable copy, which no run's own key is ever the same as: where names would make up a timestamp,
 * its `_` becomes `%5F`. `tables` says of each whether its object is compressed: its copy then ends in `.gz`, too. Throws
 * `Error` if the template cannot work.
 */
export function latestKeys(template: string, db: string, tables: ReadonlyMap<string, boolean>): Map<string, string> {
  // One room for both formats: a table keeps its name.
  const keys = keysByTable({ ...settingOf(template), template: `${template}.gz` }, { db: encodeName(db) }, [
    ...tables.keys(),
  ]);
  for (const [table, key] of keys) {
    const own = key.replace(/(?<=\d{8})_(?=\d{6})/g, '%5F');
    keys.set(table, tables.get(table) ? own : own.slice(0, -'.gz'.length));
  }
  return keys;
}

/** Why `template` could give two objects one key, or one the place of a folder; null if it never does. */
export function latestTemplateProblem(template: string, keyTemplate: string | undefined): string | null {
  const wrong = (problem: string) => `LATEST_TEMPLATE ${JSON.stringify(template)} ${problem}`;
  try {
    checkTemplate(settingOf(template), PLACEHOLDERS);
    latestKeys(template, 'db', new Map([['table', false]]));
  } catch (error) {
    return (error as Error).message;
  }
  if (!template.includes('{table}')) return wrong('must contain {table}');
  // A table called x.gz must not meet the compressed copy of x.
  if (!template.endsWith('.csv')) return wrong('must end in .csv');
  // No database's name has one of these signs: two databases never meet.
  if (!/(^|\/)[^{}/]*\{db\}([/_.=]|$)/.test(template))
    return wrong('must contain {db} as the first placeholder of a part, with / _ . or = behind it');
  if (TIMESTAMP.test(template)) return wrong('must not contain a timestamp: such keys are the runs’ own');
  const parts = template.split('/');
  if (mayBe(parts[0]!, '_ingesta')) return wrong('could put a file in the place of _ingesta/, where records live');
  const folders = (keyTemplate || DEFAULT_KEY_TEMPLATE).split('/').slice(0, -1);
  const isFolder = (own: string[]) =>
    own.length <= folders.length && own.every((part, index) => mayMeet(part, folders[index]!));
  if (isFolder(parts) || isFolder([...parts.slice(0, -1), `${parts.at(-1)}.gz`]))
    return wrong('could put a file in the place of a folder of KEY_TEMPLATE: give it more parts, or other ones');
  return null;
}

const settingOf = (template: string): KeyTemplate => ({ setting: 'LATEST_TEMPLATE', template });

/** Whether some database and table make `part` the same as `text`. */
const mayBe = (part: string, text: string): boolean => {
  const pattern = part.replace(/[.]/g, '\\.').replaceAll('{db}', '[a-z][a-z0-9-]*').replaceAll('{table}', '.+');
  return new RegExp(`^${pattern}$`).test(text);
};

/** Whether two parts may come out as the same, as far as what stands before and behind their placeholders tells. */
function mayMeet(left: string, right: string): boolean {
  if (!/[{]/.test(left + right)) return left === right;
  // Databases have no dot in their names.
  const [dotless, otherDotless] = [left, right].map((part) => !/\.|\{table\}/.test(part));
  if ((dotless && right.includes('.')) || (otherDotless && left.includes('.'))) return false;
  const [before, other] = [left, right].map((part) => part.replace(/\{.*/, '')) as [string, string];
  const [behind, another] = [left, right].map((part) => part.replace(/.*\}/, '')) as [string, string];
  return (
    (before.startsWith(other) || other.startsWith(before)) && (behind.endsWith(another) || another.endsWith(behind))
  );
}
