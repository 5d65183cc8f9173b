import {
  type Consistency,
  type CsvChunk,
  type Dataset,
  failed,
  type ListedTable,
  type Source,
  type SourceContext,
  type SourceSession,
  type SourceTable,
  type TableSelection,
} from '@ingesta/kit';
import type { ClientSession, Db, MongoClient } from 'mongodb';
import { connect, disconnect } from './connect';
import { describeDataset } from './describe-dataset';
import { describeCollection } from './describe-relation';
import type { Pass } from './first-pass';
import { type Collection, listCollections } from './list-collections';
import { refuseHidden } from './reach';
import { readRelation } from './read-relation';
import type { Relation } from './relation';
import { connectError, queryError } from './server-error';
import { parseSettings, type Settings } from './settings';
import { openSnapshot, type ReadPoint } from './snapshot';

/** MongoDB 4.4 and later; one snapshot for all collections on replica sets and sharded clusters from 5.0. */
export const mongodb: Source = {
  async connect(env, context) {
    const settings = parseSettings(env);
    const { client, hello } = await connect(settings, context);
    const { readPreference } = client.options;
    if (readPreference && readPreference.mode !== 'primary' && !client.options.directConnection) {
      context.warn(`All reads go to the primary, not by the read preference ${readPreference.mode} of MONGO_URI`);
    }
    try {
      // Cursors belong to a session; what it reads is told in each command.
      const session = client.startSession({ causalConsistency: false });
      const db = client.db(settings.database, { readPreference: 'primary' });
      const readPoint = await openSnapshot(db, session, hello, settings.snapshot);
      return new MongodbSession(client, db, session, settings, readPoint, context);
    } catch (error) {
      await disconnect(client);
      context.signal.throwIfAborted();
      throw connectError(error, settings);
    }
  },
};

class MongodbSession implements SourceSession {
  readonly parallelReads: number;
  readonly takenAt: Date;
  readonly #collections = new Map<string, Collection>();
  readonly #relations = new Map<string, Relation>();
  readonly #read = new Set<string>();
  #closing: Promise<void> | null = null;

  constructor(
    readonly client: MongoClient,
    readonly db: Db,
    readonly session: ClientSession,
    readonly settings: Settings,
    readonly readPoint: ReadPoint,
    readonly context: SourceContext,
  ) {
    this.takenAt = readPoint.takenAt;
    // Every read names the instant, over whichever connection.
    this.parallelReads = context.parallelTables;
  }

  /** Of what was read so far, or of all while nothing was. Without a snapshot even one read shows many moments. */
  get consistency(): Consistency {
    const all = [...this.#relations.values()];
    const read = all.filter(({ table }) => this.#read.size === 0 || this.#read.has(table.name));
    return read.every(({ collection }) => collection.inSnapshot) ? this.readPoint.consistency : 'none';
  }

  async list(): Promise<ListedTable[]> {
    const { db, session, readPoint } = this;
    const found = await this.#asking('Listing the collections', () => listCollections(db, session, readPoint));
    for (const collection of found) this.#collections.set(collection.name, collection);
    const unknown = [...this.settings.columns.keys()].filter((name) => !this.#collections.has(name));
    if (unknown.length > 0)
      this.context.warn(`MONGO_COLUMNS names collections that are not found: ${unknown.join(', ')}`);
    return found.map(({ name, kind }) => ({ name, onDemand: kind === 'view' }));
  }

  async describe(names: readonly string[]): Promise<SourceTable[]> {
    const tables: SourceTable[] = [];
    for (const name of names) {
      this.context.signal.throwIfAborted();
      const collection = this.#collections.get(name);
      if (!collection) throw failed(`Collection ${name} was never listed`, 'This is a defect: please report it.');
      const declared = this.settings.columns.get(name);
      const relation = await this.#asking(`Collection ${name}`, () =>
        describeCollection(this.#pass(collection), declared, this.#collections),
      );
      this.#remember(relation);
      tables.push(relation.table);
    }
    return tables;
  }

  async dataset(dataset: Dataset): Promise<SourceTable> {
    const relation = await this.#asking(`Dataset ${dataset.name}`, () =>
      describeDataset(dataset, this.#collections, (collection) => this.#pass(collection)),
    );
    this.#remember(relation);
    return relation.table;
  }

  check(selection: TableSelection): void {
    refuseHidden(this.#relations.get(selection.table.name)!.reach, selection);
  }

  async *read(selection: TableSelection): AsyncGenerator<CsvChunk, void, void> {
    const { name } = selection.table;
    const relation = this.#relations.get(name);
    if (!relation) throw failed(`${name} was never described`, 'This is a defect: please report it.');
    this.#read.add(name);
    // Of its own: several reads may go on at once.
    const session = this.client.startSession({ causalConsistency: false });
    try {
      yield* readRelation({ ...this.#pass(relation.collection), session }, relation, selection);
    } finally {
      await session.endSession();
    }
  }

  close(): Promise<void> {
    this.#closing ??= disconnect(this.client);
    return this.#closing;
  }

  #remember(relation: Relation): void {
    this.#relations.set(relation.table.name, relation);
    for (const view of relation.reach.hidden) {
      const what = `View ${view} cannot be looked behind: a sensitive field under another name would leave`;
      this.context.warn(`${what}. Grant the user listCollections (role read)`);
    }
  }

  #pass(collection: Collection): Pass {
    const readConcern = collection.inSnapshot ? this.readPoint.readConcern : undefined;
    return { db: this.db, session: this.session, collection, readConcern, context: this.context };
  }

  async #asking<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.context.signal.throwIfAborted();
      throw queryError(error, what);
    }
  }
}
