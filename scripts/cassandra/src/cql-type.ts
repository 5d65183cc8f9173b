import type { LogicalType } from '@ingesta/kit';
import { ValueError } from './value-error';

/** A type as `system_schema` prints it, taken apart. `frozen` says nothing about values and is left out. */
export type CqlType =
  | { kind: 'scalar'; name: string }
  | { kind: 'list'; of: CqlType; set: boolean }
  | { kind: 'map'; key: CqlType; value: CqlType }
  | { kind: 'tuple'; of: CqlType[] }
  | { kind: 'vector'; of: CqlType; dimension: number }
  | { kind: 'udt'; name: string; fields: { name: string; type: CqlType }[] };

/** Fields of a user-defined type, in order, with the types as `system_schema` prints them. */
export type UserTypes = ReadonlyMap<string, readonly { name: string; type: string }[]>;

const LOGICAL_TYPES: Record<string, LogicalType> = {
  ascii: 'text',
  text: 'text',
  varchar: 'text',
  inet: 'text',
  bigint: 'integer',
  counter: 'integer',
  int: 'integer',
  smallint: 'integer',
  tinyint: 'integer',
  varint: 'integer',
  decimal: 'decimal',
  double: 'float',
  float: 'float',
  boolean: 'boolean',
  date: 'date',
  time: 'time',
  timestamp: 'timestamptz',
  duration: 'interval',
  timeuuid: 'uuid',
  uuid: 'uuid',
};

/** What is not listed (blob, custom types) goes as the bytes that it is. */
export const logicalTypeOf = (type: CqlType): LogicalType =>
  type.kind === 'scalar' ? (LOGICAL_TYPES[type.name] ?? 'binary') : 'json';

const TOKEN = /\s*(?:([<>,])|"((?:[^"]|"")+)"|'([^']*)'|([\w.]+))/y;

/** Throws on a text that is no type, and on a user-defined type that is not among `userTypes`. */
export function parseCqlType(text: string, userTypes: UserTypes): CqlType {
  let at = 0;
  const next = (): { sign?: string; quoted?: string; custom?: string; word?: string } => {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`Not a CQL type: ${text}`);
    at = TOKEN.lastIndex;
    return { sign: match[1], quoted: match[2]?.replaceAll('""', '"'), custom: match[3], word: match[4] };
  };
  const expect = (sign: string): void => {
    if (next().sign !== sign) throw new Error(`Not a CQL type: ${text}`);
  };
  const inBrackets = <T>(read: () => T): T => {
    expect('<');
    const value = read();
    expect('>');
    return value;
  };
  const userType = (name: string): CqlType => {
    const fields = userTypes.get(name);
    if (!fields) throw new ValueError(`the type ${name} is not there`);
    return {
      kind: 'udt',
      name,
      fields: fields.map((field) => ({ name: field.name, type: parseCqlType(field.type, userTypes) })),
    };
  };
  const type = (): CqlType => {
    const token = next();
    if (token.custom !== undefined) return { kind: 'scalar', name: 'custom' };
    if (token.quoted !== undefined) return userType(token.quoted);
    switch (token.word) {
      case 'frozen':
        return inBrackets(type);
      case 'list':
      case 'set':
        return { kind: 'list', of: inBrackets(type), set: token.word === 'set' };
      case 'map':
        return inBrackets(() => {
          const key = type();
          expect(',');
          return { kind: 'map', key, value: type() };
        });
      case 'vector':
        return inBrackets(() => {
          const of = type();
          expect(',');
          return { kind: 'vector', of, dimension: Number(next().word) };
        });
      case 'tuple':
        return inBrackets(() => {
          const of = [type()];
          while (/^\s*,/.test(text.slice(at))) {
            expect(',');
            of.push(type());
          }
          return { kind: 'tuple', of };
        });
      case undefined:
        throw new Error(`Not a CQL type: ${text}`);
      case 'blob':
        return { kind: 'scalar', name: 'blob' };
      default:
        if (Object.hasOwn(LOGICAL_TYPES, token.word)) return { kind: 'scalar', name: token.word };
        return userType(token.word);
    }
  };
  const parsed = type();
  if (text.slice(at).trim() !== '') throw new Error(`Not a CQL type: ${text}`);
  return parsed;
}

/** The type as CQL takes it; what stands inside of another is frozen. */
export function typeText(type: CqlType): string {
  const inner = (of: CqlType): string => (of.kind === 'scalar' ? of.name : `frozen<${typeText(of)}>`);
  switch (type.kind) {
    case 'scalar':
      return type.name === 'custom' ? 'blob' : type.name;
    case 'list':
      return `${type.set ? 'set' : 'list'}<${inner(type.of)}>`;
    case 'map':
      return `map<${inner(type.key)}, ${inner(type.value)}>`;
    case 'vector':
      return `vector<${inner(type.of)}, ${type.dimension}>`;
    case 'tuple':
      return `tuple<${type.of.map(inner).join(', ')}>`;
    case 'udt':
      return /^[a-z]\w*$/.test(type.name) ? type.name : `"${type.name.replaceAll('"', '""')}"`;
  }
}
