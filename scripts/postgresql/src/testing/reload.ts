import type { Column } from '@ingesta/kit';
import { quoteIdentifier } from '../identifiers';
import type { TestDatabase } from '../test-database';

/** Builds `table` out of nothing but the columns of the manifest and the CSV, by way of a table of texts. */
export async function reload(db: TestDatabase, table: string, columns: readonly Column[], csv: Buffer): Promise<void> {
  const definitions = columns.map(({ name, source_type, nullable }) => {
    return `${quoteIdentifier(name)} ${source_type}${nullable ? '' : ' NOT NULL'}`;
  });
  const texts = columns.map((_, i) => `c${i} text`);
  await db.admin.query(
    `CREATE TABLE ${table} (${definitions.join(', ')}); CREATE TEMP TABLE crudo (${texts.join(', ')})`,
  );
  await db.copyIn('crudo', csv);
  const values = columns.map((column, i) => typedValue(column, `c${i}`));
  await db.admin.query(`INSERT INTO ${table} SELECT ${values.join(', ')} FROM crudo; DROP TABLE crudo`);
}

/** Rows that only one of two tables has, and the columns whose types differ. */
export async function differences(db: TestDatabase, one: string, other: string): Promise<unknown[]> {
  const types = (table: string) =>
    `SELECT attnum, attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
     WHERE attrelid = '${table.replaceAll("'", "''")}'::regclass AND attnum > 0`;
  const rows = (table: string) => `SELECT t::text FROM ${table} t`;
  const found: unknown[] = [];
  for (const side of [types, rows]) {
    const [a, b] = [side(one), side(other)];
    const { rows } = await db.admin.query(`(${a} EXCEPT ALL ${b}) UNION ALL (${b} EXCEPT ALL ${a})`);
    found.push(...rows);
  }
  return found;
}

/** How a field's text becomes a value of its type again: by what the manifest says of it. */
function typedValue({ source_type, logical_type }: Column, text: string): string {
  if (logical_type === 'binary') return `decode(${text}, 'hex')`;
  if (source_type === 'money') return `${text}::numeric::money`;
  if (logical_type !== 'json' || /^jsonb?$/.test(source_type)) return `${text}::${source_type}`;
  if (/(^|\.)hstore$/.test(source_type)) {
    const pairs = `SELECT coalesce(hstore(array_agg(key), array_agg(value)), '') FROM json_each_text(${text}::json)`;
    return `CASE WHEN ${text} IS NOT NULL THEN (${pairs}) END`;
  }
  // Arrays of any dimension and composites: it reads what `to_json` wrote.
  const record = `json_to_record(json_build_object('v', ${text}::json)) AS r (v ${source_type})`;
  return `CASE WHEN ${text} IS NOT NULL THEN (SELECT r.v FROM ${record}) END`;
}
