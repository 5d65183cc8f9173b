import { composeAnswer } from './answer';
import type { ResultColumn, SqlValue } from './engines/engine';
import { type AnalyticsRoute, AS_OF, type RouteStatement } from './packs/pack';
import type { Parameter } from './packs/parameter';

/** As much of an OpenAPI 3.0 document as is touched here. */
interface Document {
  paths: object;
  components: object;
}

type Schema = Readonly<Record<string, unknown>>;

/** The gateway's own document with the packs' routes in it. */
export function withAnalytics<D extends Document>(document: D, routes: readonly AnalyticsRoute[]): D {
  const ids = new Set<string>();
  const paths = Object.fromEntries(
    routes.map((route) => [route.path, { get: { operationId: operationId(route.path, ids), ...operationOf(route) } }]),
  );
  return { ...document, paths: { ...document.paths, ...paths } };
}

/** What generated clients call the operation. `taken` are the names so far, which several paths could have. */
function operationId(path: string, taken: Set<string>): string {
  const name = `Analytics${path.replace(/(^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, __, letter: string) => letter.toUpperCase())}`;
  let id = name;
  for (let n = 2; taken.has(id); n += 1) id = `${name}_${n}`;
  taken.add(id);
  return id;
}

function operationOf(route: AnalyticsRoute): Schema {
  const { pack, summary, description, parameters, tables, uses } = route;
  const named = (refs: AnalyticsRoute['tables']) =>
    refs.map(({ database, table }) => `\`${database}.${table}\``).join(', ');
  const reads = `Reads ${named(tables)}${uses.length > 0 ? `; where it is there, ${named(uses)}` : ''}.`;
  return {
    summary,
    description: [description, reads].filter((text) => text !== '').join('\n\n'),
    tags: [`Analytics: ${pack}`],
    security: [],
    parameters: [...parameters.map(parameterOf), IF_NONE_MATCH],
    responses: {
      200: {
        description: 'Ok. Whole numbers beyond 2^53 are text: readers of JSON would lose digits.',
        headers: {
          ETag: header('Of the committed data read, the parameters and the SQL.'),
          'Ingesta-Runs': header('The runs whose data was read: `mysql=<run_id>, …`.'),
        },
        content: { 'application/json': { schema: answerSchema(route), example: exampleOf(route) } },
      },
      304: { description: 'Nothing has changed since the ETag of `If-None-Match`; no query was run' },
      400: failure('`INVALID_REQUEST`: a parameter is unknown, malformed or out of range'),
      422: failure('`RESULT_TOO_LARGE`: the answer has too many rows or bytes, or needs too much memory'),
      503: failure(
        '`DATA_NOT_AVAILABLE`: a table was never ingested, or lacks a column; the hint names the POST that brings it',
      ),
      504: failure('`QUERY_TIMEOUT`: the query was ended'),
      default: failure('Any failure; `error.code` says which'),
    },
  };
}

const IF_NONE_MATCH: Schema = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'ETag of an answer that is there already.',
  schema: { type: 'string' },
};

const header = (description: string): Schema => ({ description, schema: { type: 'string' } });

const failure = (description: string): Schema => ({
  description,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorBody' } } },
});

function parameterOf({ name, type, min, max, choices, fallback, description }: Parameter): Schema {
  const limits = type === 'text' ? ['minLength', 'maxLength'] : ['minimum', 'maximum'];
  const bounds = type === 'date' ? [] : [min, max].flatMap((value, i) => (value === null ? [] : [[limits[i]!, value]]));
  return {
    name,
    in: 'query',
    required: fallback === null,
    description,
    schema: {
      ...{ integer: INTEGER, number: { type: 'number' }, text: TEXT, date: DATE, choice: TEXT }[type],
      ...Object.fromEntries(bounds),
      ...(type === 'choice' ? { enum: choices } : {}),
      ...(fallback === null ? {} : { default: fallback }),
    },
  };
}

const INTEGER: Schema = { type: 'integer', format: 'int64' };
const TEXT: Schema = { type: 'string' };
const DATE: Schema = { type: 'string', format: 'date' };

/** Any figure may be null: of no rows, or divided by zero. */
const orNull = (schema: Schema): Schema => ({ ...schema, nullable: true });

const COLUMN_SCHEMAS: Record<ResultColumn['type'], Schema> = {
  integer: orNull(INTEGER),
  number: orNull({ type: 'number' }),
  boolean: orNull({ type: 'boolean' }),
  string: orNull(TEXT),
  date: orNull(DATE),
  'date-time': orNull({ type: 'string', format: 'date-time' }),
};

function answerSchema({ statements }: AnalyticsRoute): Schema {
  const answer = objectOf([[AS_OF, { ...DATE, description: 'Date of the oldest data read, UTC.' }]]);
  for (const statement of statements) {
    const schema = statementSchema(statement);
    const always = statement.needs.length === 0;
    if (statement.path.length > 0) put(answer, statement.path, schema, always);
    else if (statement.kind === 'map') return schema;
    else
      for (const { name } of statement.columns) put(answer, [name], (schema as ObjectSchema).properties[name]!, always);
  }
  return answer;
}

interface ObjectSchema extends Record<string, unknown> {
  type: 'object';
  properties: Record<string, Schema>;
  required?: string[];
}

const objectOf = (fields: readonly (readonly [string, Schema])[]): ObjectSchema => ({
  type: 'object',
  properties: Object.fromEntries(fields),
  required: fields.map(([name]) => name),
});

function put(into: ObjectSchema, [name, ...rest]: readonly string[], schema: Schema, always: boolean): void {
  let field = schema;
  if (rest.length > 0) {
    const there = Object.hasOwn(into.properties, name!) ? into.properties[name!] : undefined;
    const inner = (there ?? { type: 'object', properties: {} }) as ObjectSchema;
    put(inner, rest, schema, always);
    field = inner;
  }
  into.properties[name!] = field;
  if (always && !into.required?.includes(name!)) into.required = [...(into.required ?? []), name!];
}

function statementSchema({ kind, columns }: RouteStatement): Schema {
  const schemaOf = ({ type }: ResultColumn): Schema => COLUMN_SCHEMAS[type];
  if (kind === 'value') return schemaOf(columns[0]!);
  if (kind === 'map') return { type: 'object', additionalProperties: schemaOf(columns[1]!) };
  const row = objectOf(columns.map((column) => [column.name, schemaOf(column)]));
  return kind === 'one' ? row : { type: 'array', items: row };
}

/** One row of everything: with the file's own words where it gives some. */
function exampleOf({ statements, example }: AnalyticsRoute): unknown {
  const some = { integer: 12, number: 0.25, boolean: true, date: '2026-10-31', 'date-time': '2026-10-31T08:00:00Z' };
  const valueFor = ({ name, type }: ResultColumn): SqlValue =>
    type === 'string' ? (Object.hasOwn(example, name) ? example[name]! : name) : some[type];
  const results = statements.map(({ columns }) => ({ columns, rows: [columns.map(valueFor)] }));
  return JSON.parse(composeAnswer('2026-10-31', statements, results).toString());
}
