import { configError, type Dataset } from '@ingesta/kit';
import type { Client, FieldDef } from 'pg';
import { BASE_TYPES, TYPE_COLUMNS, TYPE_JOINS, type TypeRow, typeOf } from './base-types';
import { columnExpression, logicalType } from './columns';
import { describeStatement } from './describe-statement';
import type { FoundTable } from './discover';
import { type Lineage, lineageOf } from './lineage';
import { isRefusedStatement } from './server-error';
import { NO_SEARCH_PATH, type Snapshot } from './snapshot';

const TYPES = `
WITH RECURSIVE ${BASE_TYPES}
SELECT pg_catalog.format_type(w.oid, w.typmod) AS source_type, ${TYPE_COLUMNS}
FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int4[])) WITH ORDINALITY AS w (oid, typmod, no)
JOIN base b ON b.oid = w.oid
${TYPE_JOINS}
ORDER BY w.no`;

/** A subquery has no semicolon; comments may stand behind it. */
const END = /;(?:\s|--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*$/;

/** Name that PostgreSQL gives a column which has none. */
const UNNAMED = '?column?';

/**
 * Has the server check a named query: one statement, fit for a subquery (so that no column but the selected ones is read,
 * and nothing is changed), readable by this user. It is planned, and no row is asked for. Leaves the transaction to be rolled back to its savepoint. Throws `configError`.
 */
export async function findDataset(client: Client, { name, text }: Dataset, snapshot: Snapshot): Promise<FoundTable> {
  const refuse = (problem: string, hint: string) => configError(`Dataset ${name}: ${problem}`, hint);
  try {
    await client.query("SELECT pg_catalog.set_config('search_path', $1, true)", [snapshot.searchPath]);
    const alone = await describeStatement(client, text);
    if (alone === null) throw refuse('it returns no rows', 'A dataset is one SELECT.');
    const twice = alone.find((field, i) => alone.findIndex((other) => other.name === field.name) !== i);
    const odd = alone.find((field) => field.name === UNNAMED || field.name === '');
    if (odd ?? twice) {
      const what = odd ? `column ${alone.indexOf(odd) + 1} has no name` : `two columns are called ${twice!.name}`;
      throw refuse(what, 'Name them: SELECT a.id AS a_id, b.id AS b_id …');
    }
    const from = `(\n${text.replace(END, '')}\n) AS dataset`;
    // Extended protocol: the server takes one statement, and checks rights and read-only without fetching anything.
    const query = { text: `SELECT * FROM ${from} LIMIT 0`, queryMode: 'extended' } as const;
    const { fields } = await client.query(query);
    // Definitions of views come out qualified, and can be read whatever the path.
    await client.query(NO_SEARCH_PATH);
    const lineage = await lineageOf(client, text, fields, snapshot.defaultSchema);
    return await describe(client, name, from, fields, lineage, snapshot);
  } catch (error) {
    if (!isRefusedStatement(error)) throw error;
    const { message, position, code } = error as { message: string; position?: string; code: string };
    const at = position ? ` at character ${position}` : '';
    throw refuse(`${message}${at} (${code})`, 'A dataset is one SELECT that only reads, of what this user may read.');
  }
}

async function describe(
  client: Client,
  name: string,
  from: string,
  fields: readonly FieldDef[],
  lineage: Lineage,
  snapshot: Snapshot,
): Promise<FoundTable> {
  const lists = [fields.map(({ dataTypeID }) => dataTypeID), fields.map(({ dataTypeModifier }) => dataTypeModifier)];
  const { rows } = await client.query<TypeRow & { source_type: string }>(TYPES, lists);
  const types = rows.map(typeOf);
  const columns = fields.map((field, i) => ({
    name: field.name,
    source_type: rows[i]!.source_type,
    logical_type: logicalType(types[i]!),
    nullable: true,
  }));
  return {
    oid: '0',
    kind: 'query',
    from,
    searchPath: snapshot.searchPath,
    hiddenHeirs: false,
    rowSecurity: false,
    pages: null,
    table: { name, columns, ...lineage, estimatedRows: null },
    expressions: new Map(fields.map((field, i) => [field.name, columnExpression(field.name, types[i]!)])),
  };
}
