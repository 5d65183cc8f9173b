import { createConfig, lintFromString } from '@redocly/openapi-core';
import openApi from '../../generated/openapi.json';
import { withSecurity } from '../security/with-security';
import { loadFrom, PackFolder } from '../testing/given-packs';
import { withAnalytics } from './analytics-open-api';
import type { SqlChecker } from './engines/engine';
import { endpointCounts, tablesRead } from './pack-facts';

const CHECKER: SqlChecker = {
  describe: async (_, statements) =>
    statements.map(({ sql }) => [
      ...(sql.includes('SELECT id')
        ? [{ name: 'id', type: 'integer' as const }]
        : [{ name: sql.includes('constructor') ? 'constructor' : 'state', type: 'string' as const }]),
      ...(sql.includes('AS n') ? [{ name: 'n', type: 'number' as const }] : []),
    ]),
};

describe('the documentation of packs', () => {
  let folder: PackFolder;
  beforeEach(() => {
    folder = new PackFolder();
    folder.write('p/schema.sql', 'CREATE TABLE mysql_users (id bigint);', 'CREATE TABLE pg_extra (id bigint);');
    folder.write(
      ...['p/a.sql', '-- route: /mysql/analytics/growth-by-state', '-- summary: Growth', '-- description: Words.'],
      ...[
        '-- tables: mysql.users',
        '-- uses: pg.extra',
        '-- example: state = Lima',
        '-- param: n integer 1..9 = 3 How many',
      ],
      ...['-- param: size choice small|large Which', '-- param: q text 2..5 = abc', '-- param: day date Which day'],
      ...['-- name: . :one', 'SELECT state, 1 AS n FROM mysql_users WHERE :n = :size AND :q = :day'],
      ...['-- name: deep.list :many if pg.extra', 'SELECT state, 2 AS n FROM pg_extra'],
      ...['-- name: deep.top :value', 'SELECT state FROM mysql_users'],
    );
    folder.write(
      ...['p/b.sql', '-- route: /cross/b', '-- summary: B', '-- group: cross_microservice', '-- tables: mysql.users'],
      ...['-- name: . :map', 'SELECT state, 3 AS n FROM mysql_users'],
    );
  });
  afterEach(() => folder.remove());

  it('is valid OpenAPI, beside what was there', async () => {
    const document = withAnalytics(
      openApi,
      (await loadFrom(folder, CHECKER)).flatMap(({ routes }) => routes),
    );
    const problems = await lintFromString({
      source: JSON.stringify(document),
      config: await createConfig({ extends: ['spec'] }),
    });
    expect(problems.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([]);
    expect(Object.keys(document.paths)).toEqual([
      ...Object.keys(openApi.paths),
      '/mysql/analytics/growth-by-state',
      '/cross/b',
    ]);
  });

  it('tells of every failure that is its own in the shape that all have, and who comes too soon when to come back', async () => {
    const routes = (await loadFrom(folder, CHECKER)).flatMap((pack) => pack.routes);
    const document = withSecurity(withAnalytics(openApi, routes), false);
    const { get } = document.paths['/cross/b' as keyof typeof document.paths] as unknown as {
      get: { responses: Record<string, { description: string }> };
    };
    const codes = { 400: 'INVALID_REQUEST', 422: 'RESULT_TOO_LARGE', 429: 'RATE_LIMITED', 503: 'DATA_NOT_AVAILABLE' };
    for (const [status, code] of Object.entries({ ...codes, 504: 'QUERY_TIMEOUT' })) {
      expect(get.responses[status]).toMatchObject({
        description: expect.stringContaining(code),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorBody' } } },
      });
    }
    expect(get.responses['429']).toMatchObject({ headers: { 'Retry-After': { schema: { type: 'string' } } } });
  });

  it('tells parameters, the shape of the answer and an example', async () => {
    const routes = (await loadFrom(folder, CHECKER)).flatMap((pack) => pack.routes);
    const { paths } = withAnalytics({ paths: {}, components: {} }, routes) as {
      paths: Record<string, { get: Record<string, never> }>;
    };
    const growth = paths['/mysql/analytics/growth-by-state']!.get as unknown as {
      parameters: { name: string }[];
      responses: Record<string, { content: Record<string, unknown> }>;
    };
    expect(growth).toMatchObject({
      operationId: 'AnalyticsMysqlAnalyticsGrowthByState',
      summary: 'Growth',
      description: 'Words.\n\nReads `mysql.users`; where it is there, `pg.extra`.',
      tags: ['Analytics: p'],
    });
    expect(growth.parameters.slice(0, 4)).toEqual([
      {
        ...{ name: 'n', in: 'query', required: false, description: 'How many' },
        schema: { type: 'integer', format: 'int64', minimum: 1, maximum: 9, default: 3 },
      },
      {
        ...{ name: 'size', in: 'query', required: true, description: 'Which' },
        schema: { type: 'string', enum: ['small', 'large'] },
      },
      {
        ...{ name: 'q', in: 'query', required: false, description: '' },
        schema: { type: 'string', minLength: 2, maxLength: 5, default: 'abc' },
      },
      {
        ...{ name: 'day', in: 'query', required: true, description: 'Which day' },
        schema: { type: 'string', format: 'date' },
      },
    ]);
    const text = { type: 'string', nullable: true };
    const row = {
      type: 'object',
      properties: { state: text, n: { type: 'number', nullable: true } },
      required: ['state', 'n'],
    };
    expect(growth.responses['200']!.content['application/json']).toEqual({
      schema: {
        type: 'object',
        properties: {
          as_of: { type: 'string', format: 'date', description: expect.any(String) },
          ...row.properties,
          deep: { type: 'object', properties: { list: { type: 'array', items: row }, top: text }, required: ['top'] },
        },
        required: ['as_of', 'state', 'n', 'deep'],
      },
      example: {
        as_of: '2026-10-31',
        state: 'Lima',
        n: 0.25,
        deep: { list: [{ state: 'Lima', n: 0.25 }], top: 'Lima' },
      },
    });
    expect(Object.keys(growth.responses)).toEqual(['200', '304', '400', '422', '503', '504', 'default']);
    expect(paths['/cross/b']!.get).toMatchObject({
      responses: {
        200: {
          content: {
            'application/json': {
              schema: { type: 'object', additionalProperties: { type: 'number', nullable: true } },
              example: { state: 0.25 },
            },
          },
        },
      },
    });
  });

  const answerOf = async (path: string, ...lines: string[]) => {
    folder.write('p/c.sql', `-- route: ${path}`, '-- summary: C', '-- tables: mysql.users', ...lines);
    const routes = (await loadFrom(folder, CHECKER)).flatMap((pack) => pack.routes);
    const { paths } = withAnalytics({ paths: {}, components: {} }, routes) as { paths: Record<string, never> };
    const { get } = paths[path] as unknown as {
      get: { responses: { 200: { content: { 'application/json': { schema: object; example: object } } } } };
    };
    return get.responses[200].content['application/json'];
  };

  it('promises no columns of a statement that is left out where a table is not there', async () => {
    const { schema } = await answerOf(
      '/c',
      ...['-- uses: pg.extra', '-- name: total :value', 'SELECT state FROM mysql_users'],
      ...['-- name: . :one if pg.extra', 'SELECT state, 1 AS n FROM pg_extra'],
    );
    expect(schema).toMatchObject({ required: ['as_of', 'total'], properties: { n: {}, state: {} } });
  });

  it('takes columns and fields that are called as something that every object has', async () => {
    const { example } = await answerOf(
      '/c',
      ...['-- name: constructor.rows :many', 'SELECT constructor FROM mysql_users'],
    );
    expect(example).toEqual({ as_of: '2026-10-31', constructor: { rows: [{ constructor: 'constructor' }] } });
  });

  it('gives no two operations one name', async () => {
    await answerOf('/x/y-z', '-- name: n :value', 'SELECT state FROM mysql_users');
    folder.write(
      ...['p/d.sql', '-- route: /x/y/z', '-- summary: D', '-- tables: mysql.users'],
      ...['-- name: n :value', 'SELECT state FROM mysql_users'],
    );
    const routes = (await loadFrom(folder, CHECKER)).flatMap((pack) => pack.routes);
    const { paths } = withAnalytics(openApi, routes);
    const ids = Object.values(paths).flatMap((operations) =>
      Object.values(operations as Record<string, { operationId: string }>).map(({ operationId }) => operationId),
    );
    expect(ids.slice(-2)).toEqual(['AnalyticsXYZ', 'AnalyticsXYZ_2']);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('counts routes by the first part of their path or by their group, and knows the tables they read', async () => {
    const packs = await loadFrom(folder, CHECKER);
    expect(endpointCounts(packs)).toEqual({ mysql: 1, cross_microservice: 1 });
    expect([...tablesRead(packs)]).toEqual([
      ['mysql', ['users']],
      ['pg', ['extra']],
    ]);
  });
});
