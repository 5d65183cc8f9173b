import { describeWith } from '../services/need';
import { IngestedSample } from './ingested-sample';

/** Calendar days, as `pagos` and `reclamos` keep them. */
const day = (instant: string) => `(${instant} AT TIME ZONE 'UTC')::date`;
const ratio = (part: string, whole: string) => `round((${part})::numeric / nullif(${whole}, 0), 6)`;

describeWith(['cassandra', 'mysql', 'postgresql'], 'routes across databases, against SQL over their rows', () => {
  const sample = new IngestedSample();
  beforeAll(async () => {
    await sample.start(['cassandra', 'mysql', 'postgresql']);
    await sample.copy('mysql', 'users', 'id int, estado text, fecha_nacimiento date');
    await sample.copy('mysql', 'clients', 'id int, user_id int, agent_id int');
    await sample.copy('mysql', 'agents', 'id int, codigo text, region text');
    await sample.copy(
      'cassandra',
      'reclamos',
      'id uuid, policy_id int, tipo text, estado text, monto_reclamado numeric, fecha timestamptz',
    );
    await sample.copy('cassandra', 'pagos', 'reclamo_id uuid, policy_id int, monto numeric, fecha timestamptz');
  }, 240_000);
  afterAll(() => sample.remove());

  it('claims', async () => {
    const expected = {
      as_of: await sample.asOf('cassandra'),
      ...(await sample.one('SELECT count(*) AS total_claims FROM cassandra.reclamos')),
      by_type: await sample.rows(`
        SELECT tipo AS type, count(*) AS claims, round(avg(monto_reclamado), 2) AS mean_amount
        FROM cassandra.reclamos GROUP BY tipo ORDER BY 2 DESC, tipo COLLATE "C"`),
      by_state: await sample.rows(`
        SELECT estado AS state, count(*) AS claims,
          ${ratio('count(*)', '(SELECT count(*) FROM cassandra.reclamos)')} AS share
        FROM cassandra.reclamos GROUP BY estado ORDER BY 2 DESC, estado COLLATE "C"`),
      amounts: await sample.one(`
        SELECT round(avg(monto_reclamado), 2) AS mean, min(monto_reclamado) AS min, max(monto_reclamado) AS max,
          sum(monto_reclamado) AS total
        FROM cassandra.reclamos`),
    };
    await sample.expectAnswer('/cassandra/analytics/claims', expected);
    expect(expected.by_type).toContainEqual({ type: 'medio', claims: 2, mean_amount: 1.01 });
  });

  it('claims against payments', async () => {
    const asOf = await sample.asOf('cassandra');
    await sample.postgresql.query(`
      CREATE TABLE outcome AS
      SELECT estado, monto_reclamado AS claimed, ${day('fecha')} AS day, paid, first_day - ${day('fecha')} AS days
      FROM cassandra.reclamos, LATERAL (
        SELECT sum(monto) AS paid, min(${day('pagos.fecha')}) AS first_day
        FROM cassandra.pagos WHERE reclamo_id = reclamos.id
      ) AS payments`);
    await sample.expectAnswer('/cassandra/analytics/claims-payments-correlation', {
      as_of: asOf,
      ...(await sample.one(`
        SELECT count(*) AS claims, count(*) FILTER (WHERE estado = 'aprobado') AS approved,
          ${ratio("count(*) FILTER (WHERE estado = 'aprobado')", "count(*) FILTER (WHERE estado <> 'pendiente')")}
            AS approval_rate,
          count(paid) AS paid_claims, round(avg(days), 6) AS mean_days_to_payment
        FROM outcome`)),
      ...(await sample.one(`
        SELECT round(avg(claimed), 2) AS mean_claimed, round(avg(paid), 2) AS mean_paid,
          ${ratio('sum(paid)', 'sum(claimed)')} AS paid_ratio,
          round((count(*) * sum(paid * claimed) - sum(paid) * sum(claimed))
            / sqrt(count(*) * sum(paid * paid) - sum(paid) ^ 2)
            / sqrt(count(*) * sum(claimed * claimed) - sum(claimed) ^ 2), 6) AS correlation
        FROM outcome WHERE paid IS NOT NULL`)),
      efficiency: await sample.one(`
        SELECT count(*) FILTER (WHERE days <= 7) AS paid_within_7_days,
          count(*) FILTER (WHERE days <= 30) AS paid_within_30_days,
          count(*) FILTER (WHERE estado = 'pendiente' AND '${asOf}'::date - day > 30) AS pending_over_30_days
        FROM outcome`),
    });
  });

  it('profile of the customers', async () => {
    const asOf = await sample.asOf('mysql', 'postgresql');
    // Full years, also of people who will be born.
    const age = `floor((to_char('${asOf}'::date, 'YYYYMMDD')::int - to_char(fecha_nacimiento, 'YYYYMMDD')::int) / 1e4)`;
    await sample.postgresql.query(`
      CREATE TABLE customer AS
      SELECT clients.id, users.estado AS state, ${age} AS age, bought, held, cover, premium,
        CASE WHEN premium = 0 THEN 'sin_poliza' WHEN premium < 1000 THEN 'basico'
          WHEN premium < 5000 THEN 'estandar' ELSE 'premium' END AS segment
      FROM mysql.clients LEFT JOIN mysql.users ON users.id = user_id, LATERAL (
        SELECT count(*) AS bought, count(*) FILTER (WHERE estado = 'activa') AS held,
          coalesce(sum(suma_asegurada) FILTER (WHERE estado = 'activa'), 0) AS cover,
          coalesce(sum(prima) FILTER (WHERE estado = 'activa'), 0) AS premium
        FROM policies WHERE client_id = clients.id
      ) AS own`);
    await sample.expectAnswer('/cross/analytics/customer-policy-profile', {
      as_of: asOf,
      ...(await sample.one(
        'SELECT count(*) AS clients, count(*) FILTER (WHERE bought > 0) AS with_policies FROM customer',
      )),
      demographics: {
        by_state: await sample.rows(`
          SELECT state, count(*) AS clients FROM customer GROUP BY state ORDER BY 2 DESC, state COLLATE "C"`),
        by_age_group: await sample.rows(`
          SELECT CASE WHEN age >= 60 THEN '60+' WHEN age >= 45 THEN '45-59' WHEN age >= 30 THEN '30-44'
            WHEN age >= 18 THEN '18-29' ELSE '0-17' END AS age_group, count(*) AS clients
          FROM customer GROUP BY 1 ORDER BY 2 DESC, 1`),
      },
      policies_per_client: await sample.one('SELECT round(avg(held), 6) AS mean, max(held) AS max FROM customer'),
      ...(await sample.one('SELECT sum(cover) AS total_cover FROM customer')),
      segments: await sample.rows(`
        SELECT segment, count(*) AS clients, sum(held) AS active_policies, sum(cover) AS total_cover,
          round(sum(premium) / nullif(sum(held), 0), 2) AS mean_premium
        FROM customer GROUP BY segment ORDER BY 2 DESC, 1`),
      top_clients: await sample.rows(`
        SELECT id AS client_id, held AS active_policies, cover AS total_cover, premium
        FROM customer WHERE held > 0 ORDER BY customer.premium DESC, id LIMIT 20`),
    });
  });

  it('performance of the agents', async () => {
    await sample.postgresql.query(`
      CREATE TABLE performance AS
      SELECT agents.*, sold, active, premium, assigned, converted
      FROM mysql.agents, LATERAL (
        SELECT count(*) AS sold, count(*) FILTER (WHERE estado = 'activa') AS active, coalesce(sum(prima), 0) AS premium
        FROM policies WHERE agent_id = agents.id
      ) AS sales, LATERAL (
        SELECT count(*) AS assigned, count(*) FILTER (WHERE id IN (
          SELECT client_id FROM policies WHERE agent_id = agents.id
        )) AS converted
        FROM mysql.clients WHERE agent_id = agents.id
      ) AS portfolio`);
    await sample.expectAnswer('/cross/analytics/agent-performance', {
      as_of: await sample.asOf('mysql', 'postgresql'),
      agents: await sample.rows(`
        SELECT 1 + (SELECT count(*) FROM performance better WHERE better.premium > own.premium) AS rank,
          id AS agent_id, codigo AS code, region, sold AS policies_sold, active AS active_policies,
          premium AS premium_total, assigned AS clients, ${ratio('converted', 'assigned')} AS conversion_rate
        FROM performance own ORDER BY premium DESC, id`),
      totals: await sample.one(`
        SELECT count(*) AS agents, sum(sold) AS policies_sold, sum(active) AS active_policies,
          sum(premium) AS premium_total, sum(assigned) AS clients,
          ${ratio('sum(converted)', 'sum(assigned)')} AS conversion_rate
        FROM performance`),
    });
  });

  it('claims against policies', async () => {
    await sample.postgresql.query(`
      CREATE TABLE loss AS
      SELECT products.id AS product_id, nombre AS name,
        (SELECT count(*) FROM policies WHERE product_id = products.id) AS policies,
        (SELECT coalesce(sum(prima), 0) FROM policies WHERE product_id = products.id) AS premium,
        (SELECT coalesce(sum(monto), 0) FROM cassandra.pagos
          WHERE policy_id IN (SELECT id FROM policies WHERE product_id = products.id)) AS paid,
        claims.*
      FROM products, LATERAL (
        SELECT count(*) AS claims, coalesce(sum(monto_reclamado), 0) AS claimed
        FROM cassandra.reclamos WHERE policy_id IN (SELECT id FROM policies WHERE product_id = products.id)
      ) AS claims`);
    const figures = (f: (column: string) => string) => `
      ${f('policies')} AS policies, ${f('claims')} AS claims, ${ratio(f('claims'), f('policies'))} AS claim_frequency,
      ${f('claimed')} AS claimed, ${f('paid')} AS paid, ${f('premium')} AS premium,
      ${ratio(f('claimed'), f('premium'))} AS claim_ratio, ${ratio(f('paid'), f('premium'))} AS loss_ratio`;
    const products = (rest: string) =>
      sample.rows(`SELECT product_id, name, ${figures((column) => `loss.${column}`)} FROM loss ${rest}`);
    await sample.expectAnswer('/cross/analytics/claims-vs-policies', {
      as_of: await sample.asOf('postgresql', 'cassandra'),
      products: await products('ORDER BY loss_ratio DESC NULLS LAST, product_id'),
      highest: await products('WHERE premium > 0 ORDER BY loss_ratio DESC, product_id LIMIT 5'),
      lowest: await products('WHERE premium > 0 ORDER BY loss_ratio, product_id LIMIT 5'),
      totals: await sample.one(`SELECT ${figures((column) => `sum(${column})`)} FROM loss`),
    });
  });
});
