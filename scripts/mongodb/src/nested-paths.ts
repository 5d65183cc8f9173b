import type { TableSelection } from '@ingesta/kit';
import type { ClientSession, Db, Document } from 'mongodb';

/** Levels to look at in the first attempt, and at most: expressions of the server may not nest without end. */
const LEVELS = [3, 8, 20];
/** A query may not grow without end either. Past this, values are only filtered on our side. */
export const MAX_PROJECTED = 1_000;

/** `[key, inside]` of the members of a document; an array's elements have the key null. */
type Skeleton = [string | null, Skeleton | number][];

/** In the place of what lies deeper than was looked. */
const DEEPER = 1;
const NOTHING = 0;

/**
 * The paths of the nested fields that must not leave the server. It tells which keys there are, without any value;
 * which of them are sensitive is decided here. Paths below a sensitive one are left out, arrays have no name.
 */
export async function sensitivePaths(
  db: Db,
  session: ClientSession,
  selection: TableSelection,
  nested: readonly string[],
  readConcern: Document | undefined,
  signal: AbortSignal,
): Promise<string[][]> {
  const fields = selection.columns.map(({ name }) => name).filter((name) => nested.includes(name));
  if (fields.length === 0) return [];
  const found = new Map<string, string[]>();
  for (const levels of LEVELS) {
    let deeper = false;
    const look = (skeleton: Skeleton | number, path: string[]): void => {
      if (typeof skeleton === 'number') {
        deeper ||= skeleton === DEEPER;
        return;
      }
      for (const [key, inside] of skeleton) {
        const below = key === null ? path : [...path, key];
        if (key !== null && selection.isSensitiveKey(below)) {
          if (found.size < MAX_PROJECTED) found.set(below.join('\0'), below);
        } else look(inside, below);
      }
    };
    const cursor = db.runCursorCommand(
      {
        aggregate: selection.table.name,
        pipeline: [{ $group: { _id: fields.map((name) => skeletonOf(fieldOf(name), levels)) } }],
        allowDiskUse: true,
        cursor: {},
        ...(readConcern && { readConcern }),
      },
      { session },
    );
    for await (const { _id } of cursor) {
      signal.throwIfAborted();
      for (const [i, name] of fields.entries()) look((_id as (Skeleton | number)[])[i]!, [name]);
    }
    if (!deeper) break;
  }
  return [...found.values()];
}

/** A field of the document, whatever its name. */
const fieldOf = (name: string): Document | string =>
  isPlainName(name) ? `$${name}` : { $getField: { $literal: name } };

/** Names that paths can hold: no dots, no dollar in front. */
export const isPlainName = (name: string): boolean => name !== '' && !name.includes('.') && !name.startsWith('$');

function skeletonOf(value: Document | string, levels: number): Document {
  const isArray = { $eq: [{ $type: value }, 'array'] };
  const isObject = { $eq: [{ $type: value }, 'object'] };
  if (levels === 0) return { $cond: [{ $or: [isArray, isObject] }, DEEPER, NOTHING] };
  const isContainer = { $in: [{ $type: '$$e' }, ['object', 'array']] };
  const elements = {
    $map: { input: { $filter: { input: value, as: 'e', cond: isContainer } }, as: 'e', in: { v: '$$e' } },
  };
  const members = { $cond: [isArray, elements, { $objectToArray: value }] };
  const member = [{ $ifNull: ['$$m.k', null] }, skeletonOf('$$m.v', levels - 1)];
  return {
    $cond: [
      { $or: [isArray, isObject] },
      // As a set: a thousand elements of one shape are told once.
      { $setUnion: [{ $map: { input: members, as: 'm', in: member } }, []] },
      NOTHING,
    ],
  };
}
