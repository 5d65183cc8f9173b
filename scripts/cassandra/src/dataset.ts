import { type Column, configError, type Dataset, type Origin, type ScriptError } from '@ingesta/kit';
import type { Client } from 'cassandra-driver';
import { type CqlType, logicalTypeOf, typeText } from './cql-type';
import type { CassandraTable } from './discover';
import { quoteName } from './names';
import { type Prepared, prepare } from './prepare';
import { parseSelect, type Selector, type SelectText } from './select-text';
import { refusalOf } from './server-error';
import { isServerKeyspace } from './server-keyspaces';
import { cqlTypeOf } from './wire-type';

/** A named SELECT that the server has agreed to. */
export interface CassandraDataset {
  name: string;
  columns: Column[];
  origins: Map<string, Origin>;
  estimatedRows: null;
  types: Map<string, CqlType>;
  select: SelectText;
  /** By column, in order. */
  selectors: Map<string, Selector>;
}

/** What a dataset is checked against. */
export interface DatasetPlace {
  client: Client;
  keyspace: string;
  /** Looks a table or view up. */
  tableOf(keyspace: string, table: string): Promise<{ key: string; table: CassandraTable }>;
}

/** Has the server check the one SELECT of a dataset. Throws `configError` with its words. */
export async function checkDataset(
  { client, keyspace, tableOf }: DatasetPlace,
  { name, text }: Dataset,
): Promise<CassandraDataset> {
  const refuse = (problem: string): ScriptError =>
    configError(`Dataset ${name}: ${problem}`, `A dataset is one SELECT, without bind markers: correct ${name}.cql.`);
  const select = parsed(text, keyspace, refuse);
  if (isServerKeyspace(select.keyspace)) throw refuse(`${select.keyspace} is a keyspace of the server`);
  const { parameters, columns } = await prepare(client, statementOf(select, null)).catch((error: unknown) => {
    throw refusalOf(error, `Dataset ${name}`, refuse);
  });
  if (parameters > 0) throw refuse('it has bind markers, and nobody gives their values');
  if (columns.length === 0) throw refuse('it is no SELECT');
  const twice = columns.find((column, i) => columns.findIndex((other) => other.name === column.name) < i);
  if (twice) throw refuse(`two columns are called ${twice.name}: give one of them another name with AS`);
  const { key, table } = await tableOf(columns[0]!.keyspace, columns[0]!.table);

  const selectors = select.selectors.length > 0 ? select.selectors : columns.map(wholeColumn);
  if (selectors.length !== columns.length) throw refuse('* stands alone, or every column is named');
  const dataset: CassandraDataset = {
    name,
    columns: [],
    origins: new Map(),
    estimatedRows: null,
    types: new Map(),
    select,
    selectors: new Map(columns.map((column, i) => [column.name, selectors[i]!])),
  };
  for (const [i, column] of columns.entries()) {
    const selector = selectors[i]!;
    const { origin, type, sourceType } = describe(column, selector, table, refuse);
    if (origin) dataset.origins.set(column.name, { table: key, path: origin });
    dataset.types.set(column.name, type);
    dataset.columns.push({
      name: column.name,
      source_type: sourceType,
      logical_type: logicalTypeOf(type),
      nullable: true,
    });
  }
  return dataset;
}

/** The statement of a dataset for some of its columns. Throws `configError` where one cannot be left out. */
export function datasetStatement({ name, select, selectors }: CassandraDataset, columns: readonly Column[]): string {
  const kept = new Set(columns.map((column) => column.name));
  const computed = [...selectors].find(([column, { isPath }]) => !kept.has(column) && !isPath);
  if (computed) {
    // Without an aggregate, say, there would be other rows.
    const hint = `Take it out of ${name}.cql, or exempt the column it is made of with SENSITIVE_COLUMNS_ALLOW.`;
    throw configError(`Dataset ${name}: column ${computed[0]} is computed from a column that must not leave`, hint);
  }
  return statementOf(
    select,
    columns.map((column) => selectors.get(column.name)!),
  );
}

/**
 * Rows per page at most. Where a page would hold all that a LIMIT allows, Cassandra does not page at all: it overlooks the
 * page state, too, and starts again at the first row. A page that has grown to the LIMIT would bring rows twice.
 */
export function datasetPageSize({ select }: CassandraDataset, pageSize: number): number {
  return select.limit === null ? pageSize : Math.max(1, Math.min(pageSize, select.limit - 1));
}

function parsed(text: string, keyspace: string, refuse: (problem: string) => ScriptError): SelectText {
  try {
    const select = parseSelect(text);
    return { ...select, keyspace: select.keyspace || keyspace };
  } catch (error) {
    throw refuse((error as Error).message);
  }
}

/** `selectors`: those to take; null for the dataset's own. */
function statementOf(select: SelectText, selectors: readonly Selector[] | null): string {
  const list = (selectors ?? select.selectors).map(({ text }) => text).join(', ') || '*';
  return `SELECT ${select.distinct ? 'DISTINCT ' : ''}${list} FROM ${quoteName(select.keyspace)}.${select.rest}`;
}

const wholeColumn = ({ name }: { name: string }): Selector => ({
  text: quoteName(name),
  paths: [[name]],
  isPath: true,
});

/**
 * Where a column comes from, and its type. The server tells neither the column behind an alias nor what a function was
 * given, so that the names in the selector have to.
 */
function describe(
  column: Prepared['columns'][number],
  { paths, isPath }: Selector,
  table: CassandraTable,
  refuse: (problem: string) => ScriptError,
): { origin?: string[]; type: CqlType; sourceType: string } {
  const [origin, ...others] = paths.filter(([first]) => table.types.has(first!));
  if (origin && isPath && origin.length === 1) {
    const known = table.columns.find(({ name }) => name === origin[0])!;
    return { origin, type: table.types.get(known.name)!, sourceType: known.source_type };
  }
  if (others.length > 0) {
    throw refuse(`column ${column.name} is made of several columns, one of which might be a secret`);
  }
  const type = cqlTypeOf(column.type);
  const from = origin && table.types.get(origin[0]!)!;
  // Neither has the keys by which a secret is known.
  const isBare = type.kind === 'list' || (type.kind === 'scalar' && logicalTypeOf(type) === 'text');
  if (!isPath && from && from.kind !== 'scalar' && isBare) {
    throw refuse(
      `column ${column.name} is text or values of a collection or type, in which secrets would be overlooked`,
    );
  }
  return { origin, type, sourceType: typeText(type) };
}
