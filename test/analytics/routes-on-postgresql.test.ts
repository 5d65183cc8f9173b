import { Client } from 'pg';
import request from 'supertest';
import { loadPostgresql } from '../../demo/sample/load-postgresql';
import { createPostgresql, type TestDatabase } from '../e2e/harness/databases';
import { describeWith, pgEnv } from '../services/need';
import { type AnalyticsApp, analyticsApp } from './sample-app';
import { type SampleLake, sampleLake } from './sample-lake';

describeWith(['postgresql'], 'product routes, against SQL of the database itself', () => {
  let database: TestDatabase;
  let client: Client;
  let lake: SampleLake;
  let analytics: AnalyticsApp;

  beforeAll(async () => {
    const { host, port, user, password } = pgEnv();
    database = await createPostgresql();
    await loadPostgresql({ host, port, user, password, database: database.name });
    client = new Client({ host, port, user, password, database: database.name });
    await client.connect();
    lake = await sampleLake();
    analytics = await analyticsApp(lake);
  });
  afterAll(async () => {
    await client?.end();
    await analytics?.close();
    await lake?.remove();
    await database?.drop();
  });

  const rows = async (sql: string) => (await client.query(sql)).rows;
  const one = async (sql: string) => (await rows(sql))[0];
  const expectAnswer = async (path: string, ask: () => Promise<object>) => {
    const expected = await ask();
    const { status, body, text } = await request(analytics.app).get(path);
    expect({ status, body }).toEqual({ status: 200, body: expected });
    expect(text).toBe(JSON.stringify(expected));
  };

  it('products', () =>
    expectAnswer('/postgresql/analytics/products', async () => ({
      as_of: '2026-11-04',
      ...(await one(`SELECT count(*)::int AS total_products, (count(*) FILTER (WHERE activo))::int AS active_products
        FROM products`)),
      policies_by_type: await rows(`
        SELECT tipo AS type, count(o.id)::int AS policies, (count(*) FILTER (WHERE o.estado = 'activa'))::int AS active
        FROM products p LEFT JOIN policies o ON o.product_id = p.id
        GROUP BY tipo ORDER BY 2 DESC, tipo COLLATE "C"`),
      coverage: await one(`
        SELECT count(*)::int AS policies, round(avg(suma_asegurada), 2)::float8 AS mean,
          min(suma_asegurada)::float8 AS min, max(suma_asegurada)::float8 AS max, sum(suma_asegurada)::float8 AS total
        FROM policies`),
      best_sellers: await rows(`
        SELECT product_id, (SELECT nombre FROM products p WHERE p.id = o.product_id) AS name, count(*)::int AS policies
        FROM policies o GROUP BY product_id ORDER BY 3 DESC, 1 LIMIT 10`),
      coverage_types: await rows(`
        SELECT tipo AS type, count(*)::int AS count, round(avg(monto), 2)::float8 AS mean_amount,
          round(avg(deducible), 2)::float8 AS mean_deductible
        FROM coberturas GROUP BY tipo ORDER BY 2 DESC, tipo COLLATE "C"`),
    })));

  const FIGURES = `count(o.id)::int AS policies,
    (count(*) FILTER (WHERE o.estado = 'activa'))::int AS active_policies,
    coalesce(sum(o.prima), 0)::float8 AS income,
    round(avg(o.prima), 2)::float8 AS mean_premium,
    coalesce(sum(p.costo_base) FILTER (WHERE o.id IS NOT NULL), 0)::float8 AS cost,
    coalesce(sum(o.prima - p.costo_base), 0)::float8 AS profit,
    round(sum(o.prima - p.costo_base) / nullif(sum(o.prima), 0), 6)::float8 AS margin,
    round(sum(o.prima - p.costo_base) / nullif(sum(p.costo_base) FILTER (WHERE o.id IS NOT NULL), 0), 6)::float8 AS roi`;

  it('profitability of the products', () =>
    expectAnswer('/postgresql/analytics/product-profitability', async () => ({
      as_of: '2026-11-04',
      products: await rows(`
        SELECT p.id AS product_id, p.nombre AS name, p.tipo AS type, ${FIGURES}
        FROM products p LEFT JOIN policies o ON o.product_id = p.id
        GROUP BY p.id ORDER BY profit DESC, p.id`),
      totals: await one(`SELECT ${FIGURES} FROM products p LEFT JOIN policies o ON o.product_id = p.id`),
    })));

  /** The sample has what makes these figures hard. */
  it('are about free products, unsold products and losses, too', async () => {
    const { body } = await request(analytics.app).get('/postgresql/analytics/product-profitability');
    const products = body.products as { name: string; income: number; profit: number; margin: number | null }[];
    expect(products.filter(({ margin }) => margin === null).length).toBeGreaterThan(1);
    expect(products.some(({ profit }) => profit < 0)).toBe(true);
  });
});
