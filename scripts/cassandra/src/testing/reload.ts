import type { Column } from '@ingesta/kit';
import type { Client } from 'cassandra-driver';
import { type CqlType, parseCqlType, type UserTypes } from '../cql-type';
import { quoteName } from '../names';

/** Creates a table out of nothing but the columns of the manifest and its key, and fills it with the CSV's records. */
export async function reload(
  admin: Client,
  table: string,
  columns: readonly Column[],
  userTypes: UserTypes,
  records: (string | null)[][],
  key = 'id',
): Promise<void> {
  const definitions = columns.map(({ name, source_type }) => `${quoteName(name)} ${source_type}`);
  await admin.execute(`CREATE TABLE ${quoteName(table)} (${definitions.join(', ')}, PRIMARY KEY (${key}))`);
  const types = columns.map(({ source_type }) => parseCqlType(source_type, userTypes));
  const names = columns.map(({ name }) => quoteName(name)).join(', ');
  for (const record of records) {
    const values = record.map((value, i) => (value === null ? 'NULL' : fieldLiteral(types[i]!, value)));
    await admin.execute(`INSERT INTO ${quoteName(table)} (${names}) VALUES (${values.join(', ')})`);
  }
}

/** Every row of a table as the server's own JSON, by text. */
export async function asJson(admin: Client, table: string, columns: readonly Column[]): Promise<string[]> {
  const names = columns.map(({ name }) => quoteName(name)).join(', ');
  const { rows } = await admin.execute(`SELECT JSON ${names} FROM ${quoteName(table)}`);
  return rows.map((row) => row['[json]'] as string).sort();
}

const fieldLiteral = (type: CqlType, text: string): string =>
  type.kind === 'scalar' ? scalarLiteral(type.name, text) : literal(type, parseExact(text));

type Json = string | boolean | null | Json[] | { [key: string]: Json };

/** Numbers as their text: `JSON.parse` would round them. */
const parseExact = (text: string): Json =>
  JSON.parse(
    text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => (token.startsWith('"') ? token : `"${token}"`)),
  );

function literal(type: CqlType, value: Json): string {
  if (value === null) return 'NULL';
  const many = (of: CqlType) => (value as Json[]).map((item) => literal(of, item)).join(', ');
  switch (type.kind) {
    case 'scalar':
      return scalarLiteral(type.name, String(value));
    case 'list':
      return type.set ? `{${many(type.of)}}` : `[${many(type.of)}]`;
    case 'vector':
      return `[${many(type.of)}]`;
    case 'tuple':
      return `(${type.of.map((of, i) => literal(of, (value as Json[])[i]!)).join(', ')})`;
    case 'map': {
      const pairs = Array.isArray(value) ? (value as [Json, Json][]) : Object.entries(value as object);
      return `{${pairs.map(([key, item]) => `${literal(type.key, key)}: ${literal(type.value, item)}`).join(', ')}}`;
    }
    case 'udt': {
      const members = type.fields.map(
        ({ name, type: of }) => `${quoteName(name)}: ${literal(of, (value as Record<string, Json>)[name]!)}`,
      );
      return `{${members.join(', ')}}`;
    }
  }
}

const QUOTED = new Set(['text', 'varchar', 'ascii', 'inet', 'date', 'time', 'timestamp']);

function scalarLiteral(name: string, text: string): string {
  if (name === 'blob') return `0x${text}`;
  return QUOTED.has(name) ? `'${text.replaceAll("'", "''")}'` : text;
}
