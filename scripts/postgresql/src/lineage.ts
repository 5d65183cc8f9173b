import type { Client, FieldDef } from 'pg';
import { describeStatement } from './describe-statement';
import type { FoundTable } from './discover';
import { tableName } from './identifiers';
import { isRefusedStatement } from './server-error';
import { RELEASE_LOCKS } from './snapshot';

/** The plain columns of tables that result columns show, by the latter's name. */
export type Origins = Map<string, { table: string; column: string }>;

/** A view over a view over a view … */
const MAX_DEPTH = 32;

const COLUMNS = `
SELECT w.no, n.nspname AS schema, c.relname AS relation, a.attname AS column,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition
FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int2[])) WITH ORDINALITY AS w (oid, attnum, no)
JOIN pg_catalog.pg_class c ON c.oid = w.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = w.oid AND a.attnum = w.attnum`;

interface Row {
  no: string;
  schema: string;
  relation: string;
  column: string;
  definition: string | null;
}

/** Where the columns of a statement come from, views looked through: a secret stays one under another name. */
export async function originsOf(
  client: Client,
  fields: readonly FieldDef[],
  defaultSchema: string,
  depth = 0,
): Promise<Origins> {
  const origins: Origins = new Map();
  const plain = fields.filter(({ tableID }) => tableID !== 0);
  if (plain.length === 0 || depth > MAX_DEPTH) return origins;
  const lists = [plain.map(({ tableID }) => tableID), plain.map(({ columnID }) => columnID)];
  const { rows } = await client.query<Row>(COLUMNS, lists);
  const behind = new Map<string, Origins>();
  for (const { no, schema, relation, column, definition } of rows) {
    if (definition !== null && !behind.has(definition)) {
      behind.set(definition, await originsOfView(client, definition, defaultSchema, depth));
    }
    const seen = { table: tableName(schema, relation, defaultSchema), column };
    origins.set(plain[Number(no) - 1]!.name, behind.get(definition ?? '')?.get(column) ?? seen);
  }
  return origins;
}

/** Gives views the origins of their columns. */
export async function originsOfViews(
  client: Client,
  tables: Iterable<FoundTable>,
  defaultSchema: string,
): Promise<void> {
  for (const { oid, kind, table } of tables) {
    if (kind !== 'v' && kind !== 'm') continue;
    const { rows } = await client.query('SELECT pg_catalog.pg_get_viewdef($1::pg_catalog.oid) AS definition', [oid]);
    table.origins = await originsOfView(client, rows[0].definition, defaultSchema, 0);
  }
}

/** None where the user may not look behind the view: then its own names count. */
async function originsOfView(client: Client, definition: string, schema: string, depth: number): Promise<Origins> {
  let fields: FieldDef[] | null;
  try {
    fields = await describeStatement(client, definition);
  } catch (error) {
    if (!isRefusedStatement(error)) throw error;
    await client.query(RELEASE_LOCKS);
    return new Map();
  }
  return originsOf(client, fields ?? [], schema, depth + 1);
}
