import {
  type Consistency,
  type CsvChunk,
  failed,
  type Source,
  type SourceContext,
  type SourceSession,
  type SourceTable,
  type TableSelection,
} from '@ingesta/kit';
import type { ClientSession, MongoClient } from 'mongodb';
import { connect, disconnect } from './connect';
import { discover, type FoundCollection } from './discover';
import { readCollection } from './read-collection';
import { connectError, queryError } from './server-error';
import { parseSettings, type Settings } from './settings';
import { openSnapshot, type ReadPoint } from './snapshot';

/** MongoDB 4.4 and later; one snapshot for all collections on replica sets and sharded clusters from 5.0. */
export const mongodb: Source = {
  async connect(env, context) {
    const settings = parseSettings(env);
    const { client, hello } = await connect(settings, context.signal);
    const { readPreference } = client.options;
    if (readPreference && readPreference.mode !== 'primary' && !client.options.directConnection) {
      context.warn(`All reads go to the primary, not by the read preference ${readPreference.mode} of MONGO_URI`);
    }
    try {
      // Cursors belong to a session; what it reads is told in each command.
      const session = client.startSession({ causalConsistency: false });
      const db = client.db(settings.database, { readPreference: 'primary' });
      const readPoint = await openSnapshot(db, session, hello, settings.snapshot);
      return new MongodbSession(client, session, settings, readPoint, context);
    } catch (error) {
      await disconnect(client);
      context.signal.throwIfAborted();
      throw connectError(error, settings.where);
    }
  },
};

class MongodbSession implements SourceSession {
  readonly takenAt: Date;
  readonly #client: MongoClient;
  readonly #session: ClientSession;
  readonly #settings: Settings;
  readonly #readPoint: ReadPoint;
  readonly #context: SourceContext;
  #found = new Map<string, FoundCollection>();
  readonly #read = new Set<string>();
  #closing: Promise<void> | null = null;

  constructor(
    client: MongoClient,
    session: ClientSession,
    settings: Settings,
    readPoint: ReadPoint,
    context: SourceContext,
  ) {
    this.takenAt = readPoint.takenAt;
    this.#client = client;
    this.#session = session;
    this.#settings = settings;
    this.#readPoint = readPoint;
    this.#context = context;
  }

  /** Of the collections read so far, or of all while none was. Without a snapshot even one read shows many moments. */
  get consistency(): Consistency {
    const found = [...this.#found.values()].filter(({ table }) => this.#read.size === 0 || this.#read.has(table.name));
    return found.every(({ inSnapshot }) => inSnapshot) ? this.#readPoint.consistency : 'none';
  }

  async tables(): Promise<SourceTable[]> {
    try {
      const found = await discover(this.#db, this.#session, this.#readPoint, this.#context);
      this.#found = new Map(found.map((collection) => [collection.table.name, collection]));
    } catch (error) {
      this.#context.signal.throwIfAborted();
      throw queryError(error, 'Listing the collections');
    }
    return [...this.#found.values()].map(({ table }) => table);
  }

  read(selection: TableSelection): AsyncIterable<CsvChunk> {
    const { name } = selection.table;
    const found = this.#found.get(name);
    if (!found) throw failed(`Collection ${name} was never listed`, 'This is a defect: please report it.');
    this.#read.add(name);
    return readCollection(this.#db, this.#session, found, selection, this.#readPoint, this.#context);
  }

  close(): Promise<void> {
    this.#closing ??= disconnect(this.#client);
    return this.#closing;
  }

  get #db() {
    return this.#client.db(this.#settings.database, { readPreference: 'primary' });
  }
}
