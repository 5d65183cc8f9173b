import { EXIT } from '../contract/exit-codes';
import type { Dataset } from '../contract/job';
import { configError, ScriptError } from '../errors';
import { globToRegExp } from '../sensitive/sensitive-rules';
import type { ListedTable } from '../source';

/** So many names are listed where one is missing. */
const MAX_LISTED = 50;

/** What a run takes, by name. */
export interface Selected {
  tables: string[];
  datasets: Dataset[];
}

/**
 * The tables and datasets to take: those the request names, else the tables of `<PREFIX>TABLES` (names and globs, `!`
 * excludes; without it all that is not on demand) and every dataset. Throws `TABLE_NOT_FOUND` for a plain name that does
 * not exist, and `SOURCE_CONFIG` for a dataset that is called like a table. An excluded table may be gone one day: `warn`
 * is told, unless letter case alone keeps a table from being left out.
 */
export function selectTables(
  listed: readonly ListedTable[],
  datasets: readonly Dataset[],
  requested: readonly string[] | null,
  setting: string | undefined,
  warn: (message: string) => void,
): Selected {
  const named = new Map(listed.map((table) => [table.name, table]));
  const twice = datasets.find(({ name }) => named.has(name));
  if (twice) {
    throw configError(`The dataset ${twice.name} is called like a table`, 'Give the file of the dataset another name.');
  }
  if (requested) {
    const wanted = new Set(requested);
    assertKnown([...named.keys(), ...datasets.map(({ name }) => name)], [...wanted]);
    return {
      tables: [...named.keys()].filter((name) => wanted.has(name)),
      datasets: datasets.filter(({ name }) => wanted.has(name)),
    };
  }
  const takes = takenBy(setting ?? '', [...named.keys()], warn);
  return { tables: listed.filter(takes).map(({ name }) => name), datasets: [...datasets] };
}

/** Reads `<PREFIX>TABLES`. */
function takenBy(
  setting: string,
  names: readonly string[],
  warn: (message: string) => void,
): (table: ListedTable) => boolean {
  const patterns = setting
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const included = patterns.filter((pattern) => !pattern.startsWith('!'));
  const leftOut = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  const known = new Set(names);
  const gone = leftOut.filter((pattern) => !isGlob(pattern) && !known.has(pattern));
  const inAnyCase = new Set(names.map((name) => name.toLowerCase()));
  const misspelt = gone.filter((name) => inAnyCase.has(name.toLowerCase()));
  // A plain name that is missing is a mistake worth stopping for; a glob may match nothing.
  assertKnown(names, [...included.filter((pattern) => !isGlob(pattern)), ...misspelt]);
  if (gone.length > 0) warn(`To be left out, but not found: ${gone.join(', ')}`);
  const excluded = leftOut.map((pattern) => globToRegExp(pattern));
  const all = included.map((pattern) => globToRegExp(pattern));
  const explicit = included
    .filter((pattern) => !isGlob(pattern) || /^[^*?]*\./.test(pattern))
    .map((pattern) => globToRegExp(pattern));
  return ({ name, onDemand }) => {
    const includes = onDemand ? explicit : all;
    const isIncluded = included.length === 0 ? !onDemand : includes.some((glob) => glob.test(name));
    return isIncluded && !excluded.some((glob) => glob.test(name));
  };
}

const isGlob = (pattern: string): boolean => /[*?]/.test(pattern);

function assertKnown(names: readonly string[], wanted: readonly string[]): void {
  const known = new Set(names);
  const missing = wanted.filter((name) => !known.has(name));
  if (missing.length === 0) return;
  const existing = [...names].sort();
  const list = existing.slice(0, MAX_LISTED).join(', ') || '(none)';
  const rest = existing.length > MAX_LISTED ? ` and ${existing.length - MAX_LISTED} more` : '';
  throw new ScriptError(
    EXIT.TABLE_NOT_FOUND,
    'TABLE_NOT_FOUND',
    `Table not found: ${missing.join(', ')}`,
    `There are: ${list}${rest}. Letter case counts.`,
  );
}
