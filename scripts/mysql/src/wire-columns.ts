import type { Column } from '@ingesta/kit';
import { Types } from 'mysql2';
import { logicalTypeOf } from './column-types';

/** What the server tells of a result's column. */
export interface WireColumn {
  name: string;
  /** Of the table's column that it is; empty for an expression. The schema may be empty all the same. */
  schema: string;
  orgTable: string;
  orgName: string;
  columnType: number;
  characterSet: number;
  flags: number;
  /** In bytes of the result's character set. */
  columnLength: number;
  decimals: number;
  /** MariaDB's name of a type that travels as text or bytes: `uuid`, `inet6`, `point`. */
  extendedTypeName?: string;
  /** MariaDB's name of a format: `json`. */
  extendedFormat?: string;
}

const FLAG = { notNull: 1, unsigned: 32, zerofill: 64 };
const BINARY = 63;
/** Of utf8mb4, which the session speaks. */
const BYTES_PER_CHARACTER = 4;
/** More than any precision of a fraction of a second: the server does not know. */
export const MAX_FRACTION = 6;

const INTEGERS: Record<number, string> = {
  [Types.TINY]: 'tinyint',
  [Types.SHORT]: 'smallint',
  [Types.INT24]: 'mediumint',
  [Types.LONG]: 'int',
  [Types.LONGLONG]: 'bigint',
};
const TIMES: Record<number, string> = {
  [Types.DATETIME]: 'datetime',
  [Types.TIMESTAMP]: 'timestamp',
  [Types.TIME]: 'time',
};
const PLAIN: Record<number, string> = {
  [Types.FLOAT]: 'float',
  [Types.DOUBLE]: 'double',
  [Types.DATE]: 'date',
  [Types.NEWDATE]: 'date',
  [Types.YEAR]: 'year',
  [Types.JSON]: 'json',
  [Types.GEOMETRY]: 'geometry',
};
const LARGE = new Set([Types.TINY_BLOB, Types.MEDIUM_BLOB, Types.LONG_BLOB, Types.BLOB]);

export const isUnsigned = ({ flags }: WireColumn): boolean => (flags & FLAG.unsigned) !== 0;

/** A column of a query's result, under a type that a table's column could have. */
export function resultColumn(wire: WireColumn): Column {
  const source_type = typeOf(wire);
  return {
    name: wire.name,
    source_type,
    logical_type: logicalTypeOf(source_type.replace(/[( ].*/, '')),
    nullable: (wire.flags & FLAG.notNull) === 0,
  };
}

function typeOf(wire: WireColumn): string {
  const { columnType, characterSet, flags, columnLength, decimals, ...extended } = wire;
  if (extended.extendedFormat === 'json') return 'json';
  if (extended.extendedTypeName) return extended.extendedTypeName;
  const sign = `${isUnsigned(wire) ? ' unsigned' : ''}${flags & FLAG.zerofill ? ' zerofill' : ''}`;
  const integer = INTEGERS[columnType];
  if (integer) return `${integer}${sign}`;
  if (columnType === Types.DECIMAL || columnType === Types.NEWDECIMAL) {
    // The length counts the point, and the sign.
    const precision = columnLength - (decimals > 0 ? 1 : 0) - (isUnsigned(wire) ? 0 : 1);
    return `decimal(${precision},${decimals})${sign}`;
  }
  const time = TIMES[columnType];
  if (time) return decimals > 0 && decimals <= MAX_FRACTION ? `${time}(${decimals})` : time;
  if (columnType === Types.BIT) return `bit(${columnLength})`;
  const plain = PLAIN[columnType];
  if (plain) return plain;
  const isBinary = characterSet === BINARY;
  if (LARGE.has(columnType)) return isBinary ? 'longblob' : 'longtext';
  const length = isBinary ? columnLength : Math.ceil(columnLength / BYTES_PER_CHARACTER);
  return `${isBinary ? 'varbinary' : 'varchar'}(${length})`;
}
