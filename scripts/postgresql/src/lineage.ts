import { combinesSelects, namesIn, type Origin, type SourceTable, takesUnnamed } from '@ingesta/kit';
import type { Client, FieldDef } from 'pg';
import { describeStatement } from './describe-statement';
import type { FoundTable } from './discover';
import { tableName } from './identifiers';
import { isRefusedStatement } from './server-error';
import { RELEASE_LOCKS } from './snapshot';

/** Where the columns of a view or a statement come from, as in `SourceTable`. */
export type Lineage = Required<Pick<SourceTable, 'origins' | 'unfollowed'>>;

/** A view over a view over a view … */
const MAX_DEPTH = 32;

const COLUMNS = `
SELECT w.no, n.nspname AS schema, c.relname AS relation, a.attname AS column,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition
FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int2[])) WITH ORDINALITY AS w (oid, attnum, no)
JOIN pg_catalog.pg_class c ON c.oid = w.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = w.oid AND a.attnum = w.attnum`;

/** A `*` takes nothing from what the user may not read, be it in a schema that nobody meant. */
const NAMED = `
SELECT CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition, ARRAY(
  SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum > 0
    AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
) AS columns
FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_catalog.lower(c.relname) = ANY ($1::pg_catalog.text[])`;

interface Row {
  no: string;
  schema: string;
  relation: string;
  column: string;
  definition: string | null;
}

interface Named {
  definition: string | null;
  columns: string[];
}

/** Where the columns of the statement `text` come from, views looked through: a secret stays one under another name. */
export async function lineageOf(
  client: Client,
  text: string,
  fields: readonly FieldDef[],
  defaultSchema: string,
  depth = 0,
): Promise<Lineage> {
  const origins = new Map<string, Origin>();
  const plain = fields.filter(({ tableID }) => tableID !== 0);
  const unfollowed = plain.length < fields.length && combinesSelects(text) ? await namesReached(client, text) : [];
  if (plain.length === 0 || depth > MAX_DEPTH) return { origins, unfollowed };
  const lists = [plain.map(({ tableID }) => tableID), plain.map(({ columnID }) => columnID)];
  const { rows } = await client.query<Row>(COLUMNS, lists);
  const behind = new Map<string, Lineage>();
  for (const { no, schema, relation, column, definition } of rows) {
    if (definition !== null && !behind.has(definition)) {
      behind.set(definition, await lineageOfView(client, definition, defaultSchema, depth));
    }
    const { name } = plain[Number(no) - 1]!;
    const view = behind.get(definition ?? '');
    const origin = view?.origins.get(column);
    // What the view makes of several columns is nobody's: it has this name, and the view's text may say more.
    if (!origin && view && view.unfollowed.length > 0) unfollowed.push(...view.unfollowed, column);
    else origins.set(name, origin ?? { table: tableName(schema, relation, defaultSchema), path: [column] });
  }
  return { origins, unfollowed };
}

/** Tells of views where their columns come from. */
export async function lineageOfViews(
  client: Client,
  tables: Iterable<FoundTable>,
  defaultSchema: string,
): Promise<void> {
  for (const { oid, kind, table } of tables) {
    if (kind !== 'v' && kind !== 'm') continue;
    const { rows } = await client.query('SELECT pg_catalog.pg_get_viewdef($1::pg_catalog.oid) AS definition', [oid]);
    Object.assign(table, await lineageOfView(client, rows[0].definition, defaultSchema, 0));
  }
}

/** The names in the text, in those of all views that it may read from, and of columns that it may take without naming them. */
async function namesReached(client: Client, text: string): Promise<string[]> {
  const reached = new Set<string>();
  const texts = new Set([text]);
  for (const one of texts) {
    const names = namesIn(one);
    const unnamed = takesUnnamed(one);
    for (const name of names) reached.add(name);
    const { rows } = await client.query<Named>(NAMED, [names.map((name) => name.toLowerCase())]);
    for (const { definition, columns } of rows) {
      if (definition !== null) texts.add(definition);
      for (const name of unnamed ? columns : []) reached.add(name);
    }
  }
  return [...reached];
}

/** Where the user may not look behind the view, only the names in its text are known. */
async function lineageOfView(client: Client, definition: string, schema: string, depth: number): Promise<Lineage> {
  let fields: FieldDef[] | null;
  try {
    fields = await describeStatement(client, definition);
  } catch (error) {
    if (!isRefusedStatement(error)) throw error;
    await client.query(RELEASE_LOCKS);
    return { origins: new Map(), unfollowed: await namesReached(client, definition) };
  }
  return lineageOf(client, definition, fields ?? [], schema, depth + 1);
}
