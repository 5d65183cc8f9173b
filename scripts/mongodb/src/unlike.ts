import type { Document } from 'mongodb';
import { type FieldTypes, UUID_MAX, UUID_MIN } from './field-types';
import { isPlainName } from './plain-name';

/** Each type is looked up by the field's path: with more fields than this, looking at all of them at once is quicker. */
const MAX_FIELDS = 64;

/** The names that `$type` knows. */
const TYPES = [
  ...['double', 'string', 'object', 'array', 'binData', 'undefined', 'objectId', 'bool', 'date', 'null', 'regex'],
  ...['dbPointer', 'javascript', 'symbol', 'javascriptWithScope', 'int', 'timestamp', 'long', 'decimal'],
  ...['minKey', 'maxKey'],
];

/**
 * A query for the documents that could tell more than `known`: another field, another type, a field that was always
 * there and is missing. It may find too many, never too few; and it costs the server a quarter of looking at every
 * field. Null where it would be no quicker.
 */
export function unlike(known: FieldTypes): Document | null {
  if (known.documents === 0 || known.fields.size > MAX_FIELDS) return null;
  // Fields whose names no path can hold count as unknown: documents with them are looked at each time.
  const names = [...known.fields.keys()].filter(isPlainName);
  const always = names.filter((name) => known.present(name) === known.documents);
  const properties: Record<string, Document> = Object.create(null);
  const others: Document[] = [];
  for (const name of names) {
    const types = [...known.fields.get(name)!.keys()];
    const asServer = types.map((type) => (type === 'uuid' ? 'binData' : type));
    // A query looks into arrays, a schema does not.
    properties[name] = asServer.includes('array') ? { bsonType: [...new Set(asServer)] } : {};
    if (!asServer.includes('array'))
      others.push({ [name]: { $type: TYPES.filter((type) => !asServer.includes(type)) } });
    others.push(...otherBinary(name, types));
  }
  // Quicker than to ask for each of them.
  const complete = always.length === names.length ? { minProperties: names.length } : { required: always };
  const shape = { properties, additionalProperties: false, ...(always.length > 0 && complete) };
  return { $or: [{ $nor: [{ $jsonSchema: shape }] }, ...others] };
}

/** Values that are UUIDs where no other was seen, or the other way about. To the server both are one type. */
function otherBinary(name: string, types: readonly string[]): Document[] {
  const [uuid, other] = [types.includes('uuid'), types.includes('binData')];
  if (uuid === other) return [];
  return uuid
    ? [{ [name]: { $lt: UUID_MIN } }, { [name]: { $gt: UUID_MAX } }]
    : [{ [name]: { $gte: UUID_MIN, $lte: UUID_MAX } }];
}
