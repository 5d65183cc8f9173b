import type { Column } from '@ingesta/kit';
import type { Connection } from 'mysql2/promise';
import { quoteName } from '../select';

/** Builds a table out of nothing but the columns of the manifest and the CSV's records. */
export async function reload(
  admin: Connection,
  table: string,
  columns: readonly Column[],
  records: (string | null)[][],
): Promise<void> {
  const definitions = columns.map(({ name, source_type }) => `${quoteName(name)} ${source_type} NULL`);
  await admin.query(
    `SET sql_mode = ''; CREATE TABLE ${quoteName(table)} (${definitions.join(', ')}) CHARACTER SET utf8mb4`,
  );
  for (const record of records) {
    const values = columns.map((column, i) => literal(column, record[i]!));
    await admin.query(`INSERT INTO ${quoteName(table)} VALUES (${values.join(', ')})`);
  }
}

/** Number of rows of `a` and `b`, joined on `id`, whose values differ in any of the columns; the names tell where. */
export async function differences(
  admin: Connection,
  a: string,
  b: string,
  columns: readonly Column[],
): Promise<string[]> {
  const different: string[] = [];
  for (const column of columns) {
    const [x, y] = ['a', 'b'].map((side) => comparable(column, `${side}.${quoteName(column.name)}`));
    // -0 equals 0, but for its text.
    const signs = ['a', 'b'].map((side) =>
      column.logical_type === 'float' ? `LEFT(CAST(${side}.${quoteName(column.name)} AS CHAR), 1)` : '1',
    );
    const [rows] = await admin.query(
      `SELECT a.id FROM ${quoteName(a)} a LEFT JOIN ${quoteName(b)} b ON a.id = b.id
       WHERE NOT (${x} <=> ${y} AND ${signs[0]} <=> ${signs[1]})`,
    );
    for (const { id } of rows as { id: number }[]) different.push(`${column.name} of row ${id}`);
  }
  return different;
}

/** Text by its bytes in one character set, JSON as the server prints it compactly, all else by its own equality. */
function comparable({ logical_type, source_type }: Column, value: string): string {
  // MySQL has one text for like values; MariaDB, which alone reads these comments, keeps the blanks between the tokens.
  if (logical_type === 'json') return `HEX(/*M! JSON_COMPACT( */ CONVERT(${value} USING utf8mb4) /*M! ) */)`;
  if (logical_type === 'text') return `HEX(CONVERT(${value} USING utf8mb4))`;
  if (logical_type === 'binary') return `HEX(${value})`;
  return /^time|^date/.test(source_type) ? `CAST(${value} AS CHAR)` : value;
}

function literal({ logical_type }: Column, value: string | null): string {
  if (value === null) return 'NULL';
  if (['integer', 'decimal', 'float'].includes(logical_type)) return value;
  if (logical_type === 'binary') return value === '' ? "''" : `X'${value}'`;
  if (logical_type === 'timestamptz') return `'${value.replace(/\+00$/, '')}'`;
  const hex = Buffer.from(value, 'utf8').toString('hex');
  return hex === '' ? "''" : `_utf8mb4 X'${hex}'`;
}
