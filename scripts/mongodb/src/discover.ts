import { failed, type SourceContext, type SourceTable } from '@ingesta/kit';
import { Binary, type ClientSession, type Db, type Document, MongoServerError, type UUID } from 'mongodb';
import { describeTypes, isNested } from './column-types';
import { queryError } from './server-error';
import type { ReadPoint } from './snapshot';

/** A collection with what only MongoDB knows of it. */
export interface FoundCollection {
  table: SourceTable;
  /** Documents that the first pass saw. */
  documents: number;
  /** Capped collections and time series show the moment of their own read. */
  inSnapshot: boolean;
  /** Fields whose values may hold others inside. */
  nested: string[];
  /** Tells a collection from another of the same name; null where the user may not see it. */
  uuid: UUID | null;
}

/** Field names are then data: no CSV has so many columns. */
const MAX_COLUMNS = 10_000;

/** Bounds of subtype 4 with 16 bytes: the server compares binary by length, subtype, bytes. */
const UUID_MIN = new Binary(Buffer.alloc(16, 0x00), 4);
const UUID_MAX = new Binary(Buffer.alloc(16, 0xff), 4);

const isUuid = { $and: [{ $gte: ['$$f.v', UUID_MIN] }, { $lte: ['$$f.v', UUID_MAX] }] };
const typeOfField = {
  $let: {
    vars: { t: { $type: '$$f.v' } },
    in: { $cond: [{ $and: [{ $eq: ['$$t', 'binData'] }, isUuid] }, 'uuid', '$$t'] },
  },
};
/**
 * Each pair of a field's name and a type of its values, and how many documents have it. Documents of one shape are
 * taken together first: that is quicker than to look at each field of each. No value leaves the server.
 */
const FIRST_PASS: Document[] = [
  {
    $group: {
      _id: { $map: { input: { $objectToArray: '$$ROOT' }, as: 'f', in: ['$$f.k', typeOfField] } },
      n: { $sum: 1 },
    },
  },
  { $unwind: '$_id' },
  { $group: { _id: '$_id', n: { $sum: '$n' } } },
];

/** The collections of the database, by name: no views, nothing of the server's own. */
export async function discover(
  db: Db,
  session: ClientSession,
  readPoint: ReadPoint,
  context: SourceContext,
): Promise<FoundCollection[]> {
  const found: FoundCollection[] = [];
  for (const info of await listCollections(db, session)) {
    context.signal.throwIfAborted();
    const inSnapshot = readPoint.consistency === 'snapshot' && info.type !== 'timeseries' && !info.options?.capped;
    try {
      const fields = await firstPass(db, session, info.name, inSnapshot ? readPoint.readConcern : undefined, context);
      found.push({ ...describe(info.name, fields), inSnapshot, uuid: info.info?.uuid ?? null });
    } catch (error) {
      context.signal.throwIfAborted();
      throw queryError(error, `Collection ${info.name}`);
    }
  }
  return found;
}

/** The collection's identity now, undefined where it is gone. */
export async function uuidOf(db: Db, session: ClientSession, name: string): Promise<UUID | undefined> {
  const [info] = await db.listCollections({ name }, { session }).toArray();
  return (info as { info?: { uuid?: UUID } } | undefined)?.info?.uuid;
}

type CollectionInfo = { name: string; type?: string; options?: Document; info?: { uuid?: UUID } };

async function listCollections(db: Db, session: ClientSession): Promise<CollectionInfo[]> {
  let all: CollectionInfo[];
  try {
    all = (await db.listCollections({}, { session }).toArray()) as CollectionInfo[];
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== 13) throw error;
    // Without the right to list, the server still tells the names of what the user may read.
    all = await db.listCollections({}, { session, nameOnly: true, authorizedCollections: true }).toArray();
  }
  return all
    .filter(({ name, type }) => type !== 'view' && !name.startsWith('system.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Fields = Map<string, Map<string, number>>;

async function firstPass(
  db: Db,
  session: ClientSession,
  name: string,
  readConcern: Document | undefined,
  { signal }: SourceContext,
): Promise<Fields> {
  const fields: Fields = new Map();
  // As a command: the driver's own helper would take a read concern without the instant only.
  const cursor = db.runCursorCommand(
    { aggregate: name, pipeline: FIRST_PASS, allowDiskUse: true, cursor: {}, ...(readConcern && { readConcern }) },
    { session },
  );
  for await (const { _id, n } of cursor) {
    signal.throwIfAborted();
    const [field, type] = _id as [string, string];
    const types = fields.get(field);
    if (types) types.set(type, Number(n));
    else fields.set(field, new Map([[type, Number(n)]]));
    if (fields.size > MAX_COLUMNS) {
      throw failed(
        `Collection ${name} has more than ${MAX_COLUMNS} different fields`,
        'Names of fields seem to be data there: leave it out with MONGO_TABLES=*,!… .',
      );
    }
  }
  return fields;
}

/** `_id` first, the others by name: documents have no common order. */
function describe(name: string, fields: Fields): Pick<FoundCollection, 'table' | 'documents' | 'nested'> {
  const sum = (types: Map<string, number> | undefined) => [...(types?.values() ?? [])].reduce((a, b) => a + b, 0);
  const documents = sum(fields.get('_id'));
  const rank = (field: string) => (field === '_id' ? 0 : 1);
  const names = [...fields.keys()].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const columns = names.map((field) => {
    const types = fields.get(field)!;
    const { sourceType, logicalType } = describeTypes(types.keys());
    const empty = (types.get('null') ?? 0) + (types.get('undefined') ?? 0);
    return {
      name: field,
      source_type: sourceType,
      logical_type: logicalType,
      nullable: sum(types) - empty < documents,
    };
  });
  // An empty collection still has the one field that every document must have.
  if (columns.length === 0) {
    columns.push({ name: '_id', source_type: 'null', logical_type: 'json', nullable: false });
  }
  const nested = names.filter((field) => isNested(fields.get(field)!.keys()));
  return { table: { name, columns, estimatedRows: documents }, documents, nested };
}
