import type { Table, TableInput } from '@aws-sdk/client-glue';
import type { Manifest, ManifestEntry } from '@ingesta/kit';

/** What our tables in Glue say of themselves, by which they are known again. */
const DATABASE = 'ingesta_database';
const TABLE = 'ingesta_table';
const EPOCH = 'ingesta_epoch';
const RUN = ['ingesta_run_id', 'ingesta_taken_at'] as const;

/** What the table of a manifest's entry says of itself. */
export const ownParameters = ({ database, epoch }: Manifest, table: string, entry: ManifestEntry) => ({
  [DATABASE]: database,
  [TABLE]: table,
  [EPOCH]: String(epoch),
  [RUN[0]]: entry.run_id,
  [RUN[1]]: entry.taken_at,
});

/** Whether it is one of ours, of this database. */
export const isOf = ({ Parameters = {} }: Table, database: string): boolean => Parameters[DATABASE] === database;

/**
 * Whether `input` may take its place: it is the one of the same table, or of one that is no more, as `Users` is where it
 * was renamed to `users`. Nobody else's table of that name.
 */
export function mayReplace(there: Table, input: TableInput, { database, tables }: Manifest): boolean {
  const shown = there.Parameters?.[TABLE] ?? '';
  return isOf(there, database) && (shown === input.Parameters![TABLE] || !Object.hasOwn(tables, shown));
}

/**
 * Whether a later holder of the database's lease has published there, be it another table: a gateway may be late, and
 * what it would show, make or remove is of a snapshot that is no more.
 */
export const isSuperseded = (there: Iterable<Table>, { database, epoch }: Manifest): boolean =>
  [...there].some((table) => isOf(table, database) && Number(table.Parameters![EPOCH]) > epoch);

/** Whether it shows already what `input` says. */
export function shows(there: Table, { StorageDescriptor, Parameters }: TableInput): boolean {
  const facts = ({ Location, Columns = [] }: NonNullable<Table['StorageDescriptor']>) =>
    JSON.stringify([Location, Columns.map(({ Name, Type }) => [Name, Type])]);
  const same = RUN.every((key) => there.Parameters?.[key] === Parameters?.[key]);
  return same && facts(there.StorageDescriptor ?? {}) === facts(StorageDescriptor ?? {});
}
