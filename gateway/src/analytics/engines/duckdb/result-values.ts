import {
  type DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { ResultColumn, SqlValue } from '../engine';
import { isoInstant } from '../iso-instant';

const TYPES: Partial<Record<DuckDBTypeId, ResultColumn['type']>> = {
  [DuckDBTypeId.BOOLEAN]: 'boolean',
  [DuckDBTypeId.TINYINT]: 'integer',
  [DuckDBTypeId.SMALLINT]: 'integer',
  [DuckDBTypeId.INTEGER]: 'integer',
  [DuckDBTypeId.BIGINT]: 'integer',
  [DuckDBTypeId.HUGEINT]: 'integer',
  [DuckDBTypeId.UTINYINT]: 'integer',
  [DuckDBTypeId.USMALLINT]: 'integer',
  [DuckDBTypeId.UINTEGER]: 'integer',
  [DuckDBTypeId.UBIGINT]: 'integer',
  [DuckDBTypeId.UHUGEINT]: 'integer',
  [DuckDBTypeId.FLOAT]: 'number',
  [DuckDBTypeId.DOUBLE]: 'number',
  [DuckDBTypeId.DECIMAL]: 'number',
  [DuckDBTypeId.VARCHAR]: 'string',
  [DuckDBTypeId.UUID]: 'string',
  [DuckDBTypeId.TIME]: 'string',
  [DuckDBTypeId.DATE]: 'date',
  [DuckDBTypeId.TIMESTAMP]: 'date-time',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'date-time',
  // A bare NULL.
  [DuckDBTypeId.SQLNULL]: 'string',
};

/** What a column is in JSON. Throws `Error` for types that JSON and the other engines have no scalar for. */
export function resultColumn(name: string, type: DuckDBType): ResultColumn {
  const known = TYPES[type.typeId];
  if (known === undefined) throw new Error(`column ${name} is a ${type}: cast it to a plain type`);
  return { name, type: known };
}

/** A value of such a column as JSON has it: NaN and the infinities are null, large integers text. */
export function resultValue({ typeId }: DuckDBType, value: DuckDBValue): SqlValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  switch (typeId) {
    case DuckDBTypeId.DECIMAL:
      return Number(value.toString());
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ: {
      const instant = value as DuckDBTimestampValue | DuckDBTimestampTZValue;
      return instant.isFinite ? isoInstant(new DuckDBTimestampValue(instant.micros).toString()) : null;
    }
    default:
      return value.toString();
  }
}
