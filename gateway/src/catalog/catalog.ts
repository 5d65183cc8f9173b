import type { Table, TableInput } from '@aws-sdk/client-glue';
import type { Manifest } from '@ingesta/kit';
import { catalogName } from '../analytics/engines/distributed/catalog-name';
import type { TwinMaker } from '../analytics/engines/twin';
import { asApiError } from '../as-api-error';
import { ApiError } from '../errors';
import type { Log } from '../log';
import type { Glue } from './glue';
import { glueTable } from './glue-table';
import { catalogNames } from './table-names';

export interface CatalogParts {
  glue: Glue;
  twins: TwinMaker;
  /** URL of an object's folder in the lake, with a slash at its end. */
  folderUrl(key: string): Promise<string>;
  log: Log;
}

/** What the tables say of themselves, by which they are known again. */
const DATABASE = 'ingesta_database';
const TABLE = 'ingesta_table';
const EPOCH = 'ingesta_epoch';

/**
 * The tables `<db>_<table>` that people query in Athena, Trino or Spark: each shows exactly the twin of the committed
 * object. A catalog that fails never fails a run: what is wrong is remembered, and the next run sets it right.
 */
export class Catalog {
  readonly #problems = new Map<string, string>();

  constructor(private readonly parts: CatalogParts) {}

  /** What is wrong with the tables of each database; empty when all is well. */
  problems(): Record<string, string> {
    return Object.fromEntries(this.#problems);
  }

  /**
   * Points the database's tables at the manifest's objects, each in one request, makes new ones, and removes those of
   * tables which are no more. Tables that somebody else made, and those of a later run, are left alone. Never throws;
   * safe to call again and from several gateways. Call it after a publication; twins that are missing are made.
   */
  async publishToCatalog(database: string, manifest: Manifest, signal: AbortSignal): Promise<void> {
    const problems: string[] = [];
    const attempt = async (what: string, work: () => Promise<void>) => {
      try {
        signal.throwIfAborted();
        await work();
      } catch (error) {
        const { code, message } = asApiError(error);
        problems.push(`${what}: ${code}: ${message}`);
      }
    };
    await attempt(`Glue database ${this.parts.glue.database}`, async () => {
      const there = await this.#tablesThere(database);
      const wanted = catalogNames(database, Object.keys(manifest.tables));
      for (const [table, name] of wanted) {
        await attempt(name, () => this.#publishTable(database, table, name, manifest, there.get(name), signal));
      }
      const gone = [...there.values()].filter((found) => {
        const own = isOf(found, database) && !isNewer(found, manifest);
        return own && ![...wanted.values()].includes(found.Name!);
      });
      await this.parts.glue.delete(gone.map(({ Name }) => Name!));
    });
    if (problems.length === 0) {
      this.#problems.delete(database);
      return;
    }
    this.#problems.set(database, problems.join('; '));
    this.parts.log.warn('the catalog does not show the latest run; the next one tries again', { database, problems });
  }

  async #tablesThere(database: string): Promise<Map<string, Table>> {
    const tables = await this.parts.glue.tables(`${catalogName(database)}_`);
    return new Map(tables.map((table) => [table.Name!, table]));
  }

  async #publishTable(
    database: string,
    table: string,
    name: string,
    manifest: Manifest,
    there: Table | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { glue, twins, folderUrl } = this.parts;
    const taken = () =>
      new ApiError('INTERNAL', `a table of this name is there already, and not made for ${database}.${table}`);
    if (there && !isOf(there, database, table)) throw taken();
    if (there && isNewer(there, manifest)) return;
    const entry = manifest.tables[table]!;
    const twin = await twins.makeTwin(database, table, entry, signal);
    const parameters = {
      [DATABASE]: database,
      [TABLE]: table,
      [EPOCH]: String(manifest.epoch),
      ingesta_run_id: entry.run_id,
      ingesta_taken_at: entry.taken_at,
    };
    const input = glueTable({ name, location: await folderUrl(twin.key), columns: twin.columns, parameters });
    if (there === undefined) {
      if (!(await glue.create(input))) throw taken();
    } else if (!shows(there, input)) await glue.update(input);
  }
}

const isOf = ({ Parameters = {} }: Table, database: string, table?: string): boolean =>
  Parameters[DATABASE] === database && (table === undefined || Parameters[TABLE] === table);

/** A gateway may be late: what a later holder of the lease has published stays. */
const isNewer = ({ Parameters = {} }: Table, { epoch }: Manifest): boolean => Number(Parameters[EPOCH]) > epoch;

const shows = (there: Table, { StorageDescriptor, Parameters }: TableInput): boolean => {
  const facts = ({ Location, Columns = [] }: NonNullable<Table['StorageDescriptor']>) =>
    JSON.stringify([Location, Columns.map(({ Name, Type }) => [Name, Type])]);
  const same = ['ingesta_run_id', 'ingesta_taken_at'].every((key) => there.Parameters?.[key] === Parameters?.[key]);
  return same && facts(there.StorageDescriptor ?? {}) === facts(StorageDescriptor ?? {});
};
