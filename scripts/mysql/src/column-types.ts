import type { LogicalType } from '@ingesta/kit';

const LOGICAL_TYPES: Record<string, LogicalType> = {
  tinyint: 'integer',
  smallint: 'integer',
  mediumint: 'integer',
  int: 'integer',
  bigint: 'integer',
  year: 'integer',
  bit: 'integer',
  decimal: 'decimal',
  float: 'float',
  double: 'float',
  date: 'date',
  datetime: 'timestamp',
  timestamp: 'timestamptz',
  // From -838:59:59 to 838:59:59: a signed span, which no type for the time of day can hold.
  time: 'interval',
  json: 'json',
  uuid: 'uuid',
  binary: 'binary',
  varbinary: 'binary',
  tinyblob: 'binary',
  blob: 'binary',
  mediumblob: 'binary',
  longblob: 'binary',
  vector: 'binary',
  // Geometries go as the server keeps them (four bytes SRID, then WKB): exact, and accepted back as such.
  geometry: 'binary',
  point: 'binary',
  linestring: 'binary',
  polygon: 'binary',
  multipoint: 'binary',
  multilinestring: 'binary',
  multipolygon: 'binary',
  geometrycollection: 'binary',
  geomcollection: 'binary',
};

/** Logical type of a `DATA_TYPE`: what is not listed (char, text, enum, set, inet4, inet6 …) is text. */
export const logicalTypeOf = (dataType: string): LogicalType => LOGICAL_TYPES[dataType.toLowerCase()] ?? 'text';
