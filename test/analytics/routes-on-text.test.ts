import request from 'supertest';
import { type AnalyticsApp, analyticsApp, SHIPPED_PATHS } from './sample-app';
import { type SampleLake, sampleLake } from './sample-lake';

describe('routes over tables that come as text, as files are delivered', () => {
  const lakes: SampleLake[] = [];
  const apps: AnalyticsApp[] = [];
  beforeAll(async () => {
    for (const typing of ['typed', 'text'] as const) {
      const lake = await sampleLake(typing);
      lakes.push(lake);
      apps.push(await analyticsApp(lake));
    }
  });
  afterAll(async () => {
    for (const app of apps) await app.close();
    for (const lake of lakes) await lake.remove();
  });

  it.each(SHIPPED_PATHS)('%s answers as over tables with types', async (path) => {
    const [typed, text] = await Promise.all(apps.map(({ app }) => request(app).get(path).expect(200)));
    expect(text!.text).toBe(typed!.text);
    expect(text!.headers['ingesta-runs']).toBe(typed!.headers['ingesta-runs']);
  });
});
