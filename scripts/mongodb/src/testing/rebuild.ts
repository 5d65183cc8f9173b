import type { Column } from '@ingesta/kit';
import { Binary, BSON, Decimal128, Double, Long, ObjectId, UUID } from 'mongodb';

/** The documents out of nothing but the columns of the manifest and the CSV's records; empty fields are missing. */
export function rebuild(columns: readonly Column[], records: readonly (string | null)[][]): Record<string, unknown>[] {
  return records.map((record) => {
    const document: Record<string, unknown> = Object.create(null);
    for (const [i, column] of columns.entries()) {
      const text = record[i]!;
      if (text !== null) document[column.name] = value(column, text);
    }
    return document;
  });
}

function value({ logical_type, source_type }: Column, text: string): unknown {
  switch (logical_type) {
    case 'json':
      return fromJson(text);
    case 'integer':
      return Long.fromString(text);
    case 'float':
      return new Double(Number(text));
    case 'decimal':
      return source_type === 'decimal' ? Decimal128.fromString(text) : text;
    case 'boolean':
      return text === 'true';
    case 'timestamptz':
      return text.startsWith('{')
        ? fromJson(text)
        : new Date(`${text.slice(0, 10)}T${text.slice(11).replace('+00', 'Z')}`);
    case 'binary':
      return new Binary(Buffer.from(text, 'hex'));
    case 'uuid':
      return new UUID(text);
    default:
      return source_type === 'objectId' ? new ObjectId(text) : text;
  }
}

/** JSON.parse would round int64 and forget that 1.0 is a double: numbers are wrapped first. */
function fromJson(text: string): unknown {
  const wrapped = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) => {
    if (token.startsWith('"')) return token;
    return /[.eE]/.test(token) ? `{"$numberDouble":"${token}"}` : `{"$numberLong":"${token}"}`;
  });
  // Inside of these, plain numbers are right.
  const number = String.raw`\{"\$numberLong":"(\d+)"\}`;
  const plain = wrapped
    .replace(
      new RegExp(String.raw`"\$timestamp":\{"t":${number},"i":${number}\}`, 'g'),
      '"$$timestamp":{"t":$1,"i":$2}',
    )
    .replace(new RegExp(String.raw`("\$(?:min|max)Key":)${number}`, 'g'), '$1$2');
  return BSON.EJSON.parse(plain, { relaxed: false });
}

/** Canonical text of a value for comparison, with int32 and int64 as one integer type, without empty fields. */
export function canonical(value: unknown): string {
  const text = BSON.EJSON.stringify(value, { relaxed: false });
  return text.replaceAll('$numberInt', '$numberLong');
}

/** Without what the CSV cannot tell from a missing field. */
export const withoutEmpty = (document: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(document).filter(([, v]) => v !== null && v !== undefined));
