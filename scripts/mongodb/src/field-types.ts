import { Binary, type Document } from 'mongodb';

/** What is known of the fields of some documents. */
export class FieldTypes {
  /** Documents looked at. */
  documents = 0;
  /** By name: each type of its values, and how many documents have it. */
  readonly fields = new Map<string, Map<string, number>>();

  add(name: string, type: string, documents: number): void {
    const types = this.fields.get(name);
    if (types) types.set(type, (types.get(type) ?? 0) + documents);
    else this.fields.set(name, new Map([[type, documents]]));
  }

  /** Documents in which the field is there, be it null. */
  present(name: string): number {
    return sum(this.fields.get(name)?.values() ?? []);
  }

  /** Whether a row without a value was seen. */
  isNullable(name: string): boolean {
    const types = this.fields.get(name);
    const empty = (types?.get('null') ?? 0) + (types?.get('undefined') ?? 0);
    return this.present(name) - empty < this.documents;
  }
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

/** Bounds of subtype 4 with 16 bytes: the server compares binary by length, subtype, bytes. */
export const UUID_MIN = new Binary(Buffer.alloc(16, 0x00), 4);
export const UUID_MAX = new Binary(Buffer.alloc(16, 0xff), 4);

const isUuid = { $and: [{ $gte: ['$$f.v', UUID_MIN] }, { $lte: ['$$f.v', UUID_MAX] }] };
const typeOfField = {
  $let: {
    vars: { t: { $type: '$$f.v' } },
    in: { $cond: [{ $and: [{ $eq: ['$$t', 'binData'] }, isUuid] }, 'uuid', '$$t'] },
  },
};
const pairs = { $map: { input: { $objectToArray: '$$ROOT' }, as: 'f', in: ['$$f.k', typeOfField] } };
/** Stands for the document itself, so that those without any field count too. */
const documentItself = [null, 'document'];

/**
 * Each pair of a field's name and a type of its values, and how many documents have it. Documents of one shape are
 * taken together first: that is quicker than to look at each field of each. No value leaves the server.
 */
export const FIELD_TYPES: readonly Document[] = [
  { $group: { _id: { $concatArrays: [[documentItself], pairs] }, n: { $sum: 1 } } },
  { $unwind: '$_id' },
  { $group: { _id: '$_id', n: { $sum: '$n' } } },
];
