import type { TwinColumn } from '../twin-columns';
import { catalogName, shortHash } from './catalog-name';

/** A table of the catalog that shows one twin and never anything else. */
export interface RunTable {
  name: string;
  /** What the tables of one source table's runs have in common. */
  family: string;
  /** URL of the folder which holds the twin alone, with a slash at its end. */
  location: string;
  columns: readonly TwinColumn[];
}

/** Where the tables that queries read are registered. */
export interface RunTables {
  /**
   * Makes the table unless it is there, and then drops those of its family that were superseded longest ago. Safe to call
   * again and from several processes. Throws `ApiError` or `SqlFailure` where the table cannot be made; a table that
   * cannot be dropped is only warned of.
   */
  ensure(table: RunTable): Promise<void>;
}

/** The run that is current, and the one before it, which queries under way may still read. */
const KEPT = 2;

/**
 * The table of a run's twin: `mysql_users__<run>_<hash>`. The hash is of all that the table says, so that one name can
 * only ever mean one thing, also where a lake was moved.
 */
export function runTable(
  { database, table, runId }: { database: string; table: string; runId: string },
  location: string,
  columns: readonly TwinColumn[],
): RunTable {
  const family = familyOf(`${database}_${table}`);
  const run = runId.toLowerCase().replace(/[^a-z0-9]/g, '');
  const hash = shortHash(JSON.stringify([location, columns.map(({ name, type }) => [name, type])]));
  return { name: `${family}__${run}_${hash}`, family, location, columns };
}

/** A name that catalogs cannot have as it is could meet another one there, and each would drop the other's tables. */
function familyOf(name: string): string {
  const plain = catalogName(name);
  return plain === name ? plain : `${plain}_${shortHash(name)}`;
}

/**
 * Those of the catalog's tables which are of the table's family and may go: run ids are UUIDs, and grow with time. What
 * people call theirs, like `mysql_users__backup_20250101`, is none.
 */
export function superseded({ name, family }: RunTable, there: readonly string[]): string[] {
  const own = new RegExp(`^${family}__[0-9a-f]{32}_[0-9a-f]{8}$`);
  const runs = there.filter((other) => own.test(other)).sort();
  return runs.slice(0, -KEPT).filter((other) => other !== name);
}
