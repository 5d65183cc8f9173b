import { describeWith } from '../services/need';
import { IngestedSample } from './ingested-sample';

describeWith(['postgresql'], 'product routes, against SQL of the database itself', () => {
  const sample = new IngestedSample();
  let asOf: string;
  beforeAll(async () => {
    await sample.start(['postgresql']);
    asOf = await sample.asOf('postgresql');
  });
  afterAll(() => sample.remove());

  it('products', async () =>
    sample.expectAnswer('/postgresql/analytics/products', {
      as_of: asOf,
      ...(await sample.one(`
        SELECT count(*) AS total_products, count(*) FILTER (WHERE activo) AS active_products FROM products`)),
      policies_by_type: await sample.rows(`
        SELECT tipo AS type, count(o.id) AS policies, count(*) FILTER (WHERE o.estado = 'activa') AS active
        FROM products p LEFT JOIN policies o ON o.product_id = p.id
        GROUP BY tipo ORDER BY 2 DESC, tipo COLLATE "C"`),
      coverage: await sample.one(`
        SELECT count(*) AS policies, round(avg(suma_asegurada), 2) AS mean,
          min(suma_asegurada) AS min, max(suma_asegurada) AS max, sum(suma_asegurada) AS total
        FROM policies`),
      best_sellers: await sample.rows(`
        SELECT product_id, (SELECT nombre FROM products p WHERE p.id = o.product_id) AS name, count(*) AS policies
        FROM policies o GROUP BY product_id ORDER BY 3 DESC, 1 LIMIT 10`),
      coverage_types: await sample.rows(`
        SELECT tipo AS type, count(*) AS count, round(avg(monto), 2) AS mean_amount,
          round(avg(deducible), 2) AS mean_deductible
        FROM coberturas GROUP BY tipo ORDER BY 2 DESC, tipo COLLATE "C"`),
    }));

  const FIGURES = `count(o.id) AS policies,
    count(*) FILTER (WHERE o.estado = 'activa') AS active_policies,
    coalesce(sum(o.prima), 0) AS income,
    round(avg(o.prima), 2) AS mean_premium,
    coalesce(sum(p.costo_base) FILTER (WHERE o.id IS NOT NULL), 0) AS cost,
    coalesce(sum(o.prima - p.costo_base), 0) AS profit,
    round(sum(o.prima - p.costo_base) / nullif(sum(o.prima), 0), 6) AS margin,
    round(sum(o.prima - p.costo_base) / nullif(sum(p.costo_base) FILTER (WHERE o.id IS NOT NULL), 0), 6) AS roi`;

  it('profitability of the products', async () => {
    const expected = {
      as_of: asOf,
      products: await sample.rows(`
        SELECT p.id AS product_id, p.nombre AS name, p.tipo AS type, ${FIGURES}
        FROM products p LEFT JOIN policies o ON o.product_id = p.id
        GROUP BY p.id ORDER BY profit DESC, p.id`),
      totals: await sample.one(`SELECT ${FIGURES} FROM products p LEFT JOIN policies o ON o.product_id = p.id`),
    };
    await sample.expectAnswer('/postgresql/analytics/product-profitability', expected);
    // The sample has what makes these figures hard: free and unsold products, losses, half cents.
    expect(expected.products.filter(({ margin }) => margin === null).length).toBeGreaterThan(1);
    expect(expected.products.some(({ profit }) => Number(profit) < 0)).toBe(true);
    expect(expected.products).toContainEqual(expect.objectContaining({ type: 'medio', mean_premium: 1.01 }));
  });
});
