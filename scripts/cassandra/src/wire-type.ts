import { types } from 'cassandra-driver';
import type { WireType } from 'cassandra-driver/lib/readers';
import type { CqlType } from './cql-type';

const { dataTypes } = types;
const NAMES = new Map(Object.entries(dataTypes).map(([name, code]) => [code, name]));

/** Protocol 4 has no number for it. */
const DURATION = 'org.apache.cassandra.db.marshal.DurationType';

/** The type of a result's column, as the protocol describes it. Types without a number of their own go as bytes. */
export function cqlTypeOf({ code, info }: WireType): CqlType {
  switch (code) {
    case dataTypes.list:
    case dataTypes.set:
      return { kind: 'list', of: cqlTypeOf(info as WireType), set: code === dataTypes.set };
    case dataTypes.map: {
      const [key, value] = info as [WireType, WireType];
      return { kind: 'map', key: cqlTypeOf(key), value: cqlTypeOf(value) };
    }
    case dataTypes.tuple:
      return { kind: 'tuple', of: (info as WireType[]).map(cqlTypeOf) };
    case dataTypes.udt: {
      const { name, fields } = info as { name: string; fields: { name: string; type: WireType }[] };
      return { kind: 'udt', name, fields: fields.map((field) => ({ name: field.name, type: cqlTypeOf(field.type) })) };
    }
    case dataTypes.custom:
      return { kind: 'scalar', name: info === DURATION ? 'duration' : 'custom' };
    default:
      // Two names of one type, of which `system_schema` prints the shorter.
      return { kind: 'scalar', name: code === dataTypes.varchar ? 'text' : (NAMES.get(code as never) ?? 'custom') };
  }
}
