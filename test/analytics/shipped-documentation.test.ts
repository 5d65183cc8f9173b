import { createConfig, lintFromString } from '@redocly/openapi-core';
import request from 'supertest';
import openApi from '../../gateway/generated/openapi.json';
import { withAnalytics } from '../../gateway/src/analytics/analytics-open-api';
import { handMadeLake } from './hand-made-lakes';
import { type AnalyticsApp, analyticsApp, SHIPPED_PATHS } from './sample-app';
import type { SampleLake } from './sample-lake';

interface Operation {
  parameters: { name: string; in: string; schema: object }[];
  responses: Record<'200', { content: { 'application/json': { schema: object; example: object } } }>;
}

describe('the documentation of the routes that come with the gateway', () => {
  let lake: SampleLake;
  let analytics: AnalyticsApp;
  let document: ReturnType<typeof withAnalytics>;
  beforeAll(async () => {
    lake = await handMadeLake('awkward', 'typed');
    analytics = await analyticsApp(lake);
    document = withAnalytics(openApi, analytics.routes);
  });
  afterAll(async () => {
    await analytics?.close();
    await lake?.remove();
  });

  const operationOf = (path: string) => (document.paths as Record<string, { get: Operation }>)[path]!.get;
  const queryOf = (path: string) => operationOf(path).parameters.filter((parameter) => parameter.in === 'query');

  it('is of all ten, and each example is as its schema says', async () => {
    expect(analytics.routes.map(({ path }) => path).sort()).toEqual([...SHIPPED_PATHS].sort());
    const rules = {
      'no-invalid-media-type-examples': { severity: 'error', allowAdditionalProperties: false },
    } as const;
    const config = await createConfig({ extends: ['spec'], rules });
    const problems = await lintFromString({ source: JSON.stringify(document), config });
    expect(problems.map(({ message, location }) => [message, location[0]?.pointer])).toEqual([]);
  });

  it.each(SHIPPED_PATHS)('%s has an example with the fields of its answers', async (path) => {
    const { example } = operationOf(path).responses['200'].content['application/json'];
    const { body } = await request(analytics.app).get(path).expect(200);
    expect(shapeOf(example)).toEqual(path.startsWith('/ventas/') ? { Electronicos: 'value' } : shapeOf(body));
  });

  it('tells the bounds and the default of the only parameter, which hold', async () => {
    const growth = '/mysql/analytics/growth-by-state';
    expect(queryOf(growth)).toMatchObject([{ name: 'months', schema: { minimum: 1, maximum: 36, default: 12 } }]);
    expect(SHIPPED_PATHS.filter((path) => queryOf(path).length > 0)).toEqual([growth]);
    for (const months of ['0', '-1', '37']) {
      const { body } = await request(analytics.app).get(`${growth}?months=${months}`).expect(400);
      expect(body.error).toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringContaining('months must be') });
    }
    for (const months of [1, 36])
      expect((await request(analytics.app).get(`${growth}?months=${months}`).expect(200)).body).toMatchObject({
        months,
      });
    expect((await request(analytics.app).get(growth).expect(200)).body).toMatchObject({ months: 12 });
  });
});

/** The fields and how they nest; a list is its first row. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return 'value';
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field)]));
}
