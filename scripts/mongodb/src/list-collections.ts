import { type ClientSession, type Db, type Document, MongoServerError, type UUID } from 'mongodb';
import type { ReadPoint } from './snapshot';

/** A collection or view, before anybody looked into it. */
export interface Collection {
  name: string;
  kind: 'collection' | 'view' | 'timeseries';
  /** Capped collections and time series show the moment of their own read, and so do views over them. */
  inSnapshot: boolean;
  /** What a view, and those under it, make of the collection `over`; empty where the user may not see it. */
  pipeline: Document[];
  over: string;
  /** Tells a collection from another of the same name; null for views, and where the user may not see it. */
  uuid: UUID | null;
}

type Info = { name: string; type?: string; options?: Document; info?: { uuid?: UUID } };

/** The collections and views of the database, by name; nothing of the server's own. */
export async function listCollections(db: Db, session: ClientSession, readPoint: ReadPoint): Promise<Collection[]> {
  const all = await infos(db, session);
  const byName = new Map(all.map((info) => [info.name, info]));
  /** From the view, or whatever it is, down to the collection; the server allows 20 views over one another. */
  const chainOf = (info: Info, depth = 0): Info[] => {
    const under = info.type === 'view' && depth <= 20 ? byName.get(info.options?.viewOn) : undefined;
    return under === undefined ? [info] : [info, ...chainOf(under, depth + 1)];
  };
  const inSnapshot = ({ type, options }: Info) =>
    readPoint.consistency === 'snapshot' && type !== 'timeseries' && !options?.capped;
  return all
    .filter(({ name }) => !name.startsWith('system.'))
    .map((info): Collection => {
      const chain = chainOf(info);
      const views = chain.filter(({ type }) => type === 'view');
      const base = chain.at(-1)!;
      return {
        name: info.name,
        kind: info.type === 'view' || info.type === 'timeseries' ? info.type : 'collection',
        inSnapshot: chain.every(inSnapshot),
        pipeline: views.reverse().flatMap(({ options }) => options?.pipeline ?? []),
        over: base.type === 'view' ? (base.options?.viewOn ?? base.name) : base.name,
        uuid: info.info?.uuid ?? null,
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function infos(db: Db, session: ClientSession): Promise<Info[]> {
  try {
    return (await db.listCollections({}, { session }).toArray()) as Info[];
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== 13) throw error;
    // Without the right to list, the server still tells the names of what the user may read.
    return db.listCollections({}, { session, nameOnly: true, authorizedCollections: true }).toArray();
  }
}

/** The collection's identity now, undefined where it is gone. */
export async function uuidOf(db: Db, session: ClientSession, name: string): Promise<UUID | undefined> {
  const [info] = await db.listCollections({ name }, { session }).toArray();
  return (info as Info | undefined)?.info?.uuid;
}
