import type { Table, TableInput } from '@aws-sdk/client-glue';
import type { Manifest } from '@ingesta/kit';
import { catalogName } from '../analytics/engines/distributed/catalog-name';
import type { TwinMaker } from '../analytics/engines/twin';
import { asApiError } from '../as-api-error';
import { ApiError } from '../errors';
import type { Log } from '../log';
import type { Glue } from './glue';
import { glueTable } from './glue-table';
import { isOf, isSuperseded, mayReplace, ownParameters, shows } from './own-table';
import { catalogNames } from './table-names';

export interface CatalogParts {
  glue: Glue;
  twins: TwinMaker;
  /** URL of an object's folder in the lake, with a slash at its end. */
  folderUrl(key: string): Promise<string>;
  log: Log;
}

/** The latest publication of a database that was asked for here. */
interface Publication {
  epoch: number;
  halt: AbortController;
  /** Settles, always well, when nothing of it or of an earlier one is under way. */
  done: Promise<void>;
}

/** Does one part of a publication, and notes what is wrong with it. */
type Attempt = (what: string, work: () => Promise<void>) => Promise<void>;

/** How often tables are read and written anew while other gateways write them, too. */
const ROUNDS = 5;

/**
 * The tables `<db>_<table>` that people query in Athena, Trino or Spark: each shows exactly the twin of the committed
 * object. A catalog that fails never fails a run: what is wrong is remembered, and the next run sets it right.
 */
export class Catalog {
  readonly #problems = new Map<string, string>();
  readonly #latest = new Map<string, Publication>();

  constructor(private readonly parts: CatalogParts) {}

  /** What is wrong with the tables of each database; empty when all is well. */
  problems(): Record<string, string> {
    return Object.fromEntries(this.#problems);
  }

  /**
   * Points the database's tables at the manifest's objects, each in one request, makes new ones, and removes those of
   * tables which are no more. Tables that somebody else made are left alone, and where a later run is shown, all are.
   * Never throws; safe to call again and from several gateways. Call it after a publication; twins that are missing are
   * made. One publication of a database follows the other, and a later one ends those before.
   */
  publishToCatalog(manifest: Manifest, signal: AbortSignal): Promise<void> {
    const { database, epoch } = manifest;
    const before = this.#latest.get(database);
    if (before && before.epoch > epoch) return before.done;
    before?.halt.abort(new Error('a later run is published'));
    const halt = new AbortController();
    const either = AbortSignal.any([signal, halt.signal]);
    const done = (before?.done ?? Promise.resolve()).then(() => this.#publish(manifest, either));
    this.#latest.set(database, { epoch, halt, done });
    return done;
  }

  async #publish(manifest: Manifest, signal: AbortSignal): Promise<void> {
    const { glue, log } = this.parts;
    const { database } = manifest;
    const problems: string[] = [];
    const attempt: Attempt = async (what, work) => {
      try {
        signal.throwIfAborted();
        await work();
      } catch (error) {
        const { code, message } = asApiError(error);
        problems.push(`${what}: ${code}: ${message}`);
      }
    };
    await attempt(`Glue database ${glue.database}`, async () => {
      // Before any twin is made: where Glue is away or ahead of us, none has to be.
      if (isSuperseded(await this.#tablesThere(database), manifest)) return;
      const names = catalogNames(database, Object.keys(manifest.tables));
      await this.#show(manifest, await this.#wanted(manifest, names, signal, attempt), attempt);
      signal.throwIfAborted();
      await this.#deleteOthers(manifest, [...names.values()]);
    });
    // Whoever ended it has the say.
    if (signal.aborted) return;
    if (problems.length === 0) {
      this.#problems.delete(database);
      return;
    }
    this.#problems.set(database, problems.join('; '));
    log.warn('the catalog does not show the latest run; the next one tries again', { database, problems });
  }

  async #tablesThere(database: string): Promise<Table[]> {
    return this.parts.glue.tables(`${catalogName(database)}_`);
  }

  /** The tables as they shall be, by name: those whose twins are there or could be made. */
  async #wanted(
    manifest: Manifest,
    names: ReadonlyMap<string, string>,
    signal: AbortSignal,
    attempt: Attempt,
  ): Promise<Map<string, TableInput>> {
    const { twins, folderUrl } = this.parts;
    const wanted = new Map<string, TableInput>();
    for (const [table, name] of names) {
      await attempt(name, async () => {
        const entry = manifest.tables[table]!;
        const { key, columns } = await twins.makeTwin(manifest.database, table, entry, signal);
        const parameters = ownParameters(manifest, table, entry);
        wanted.set(name, glueTable({ name, location: await folderUrl(key), columns, parameters }));
      });
    }
    return wanted;
  }

  /** Each is written over what was read just before, and nothing else: else all are read again. */
  async #show(manifest: Manifest, wanted: ReadonlyMap<string, TableInput>, attempt: Attempt): Promise<void> {
    let left = [...wanted];
    for (let round = 1; left.length > 0 && round <= ROUNDS; round += 1) {
      const there = await this.#tablesThere(manifest.database);
      if (isSuperseded(there, manifest)) return;
      const overtaken: typeof left = [];
      for (const [name, input] of left) {
        await attempt(name, async () => {
          const found = there.find(({ Name }) => Name === name);
          if (!(await this.#write(manifest, input, found))) overtaken.push([name, input]);
        });
      }
      left = overtaken;
    }
    for (const [name] of left) {
      await attempt(name, () => Promise.reject(new ApiError('INTERNAL', 'others write it all the time')));
    }
  }

  /** False if somebody else wrote it first. */
  async #write(manifest: Manifest, input: TableInput, there: Table | undefined): Promise<boolean> {
    const { glue } = this.parts;
    if (there === undefined) return glue.create(input);
    if (!mayReplace(there, input, manifest)) {
      throw new ApiError('INTERNAL', 'a table of this name is there already, made by others or for another table');
    }
    return shows(there, input) || glue.update(input, there.VersionId);
  }

  /** Glue deletes whatever is there, so what that is has been read just before. */
  async #deleteOthers(manifest: Manifest, names: readonly string[]): Promise<void> {
    const there = await this.#tablesThere(manifest.database);
    if (isSuperseded(there, manifest)) return;
    const gone = there.filter((table) => isOf(table, manifest.database) && !names.includes(table.Name!));
    await this.parts.glue.delete(gone.map(({ Name }) => Name!));
  }
}
