import type { RowDataPacket } from 'mysql2/promise';
import { describeWith } from '../services/need';
import { IngestedSample } from './ingested-sample';

describeWith(['mysql'], 'user routes, against SQL of the database itself', () => {
  const sample = new IngestedSample();
  let asOf: string;
  beforeAll(async () => {
    await sample.start(['mysql']);
    asOf = await sample.asOf('mysql');
  });
  afterAll(() => sample.remove());

  const rows = async (sql: string) => (await sample.mysql.query<RowDataPacket[]>(sql))[0].map((row) => ({ ...row }));
  const one = async (sql: string) => (await rows(sql))[0];

  it('users', async () => {
    // Full years, also of people who will be born: TIMESTAMPDIFF goes towards zero.
    const age = `CAST(floor((date_format('${asOf}', '%Y%m%d') - date_format(fecha_nacimiento, '%Y%m%d')) / 10000) AS SIGNED)`;
    const expected = {
      as_of: asOf,
      ...(await one('SELECT count(*) AS total_users FROM users')),
      by_state: await rows(`SELECT estado AS state, count(*) AS users,
        round(count(*) / (SELECT count(*) FROM users), 6) AS share
        FROM users GROUP BY estado ORDER BY users DESC, BINARY estado`),
      demographics: {
        by_gender: await rows(`SELECT genero AS gender, count(*) AS users
          FROM users GROUP BY genero ORDER BY users DESC, genero IS NULL, BINARY genero`),
        by_age_group: await rows(`SELECT CASE WHEN ${age} BETWEEN 18 AND 29 THEN '18-29'
            WHEN ${age} BETWEEN 30 AND 44 THEN '30-44' WHEN ${age} BETWEEN 45 AND 59 THEN '45-59'
            WHEN ${age} >= 60 THEN '60+' ELSE '0-17' END AS age_group, count(*) AS users
          FROM users GROUP BY age_group ORDER BY users DESC, age_group`),
        age: await one(
          `SELECT round(sum(${age}) / count(*), 6) AS mean, min(${age}) AS min, max(${age}) AS max FROM users`,
        ),
      },
      registrations: await rows(`SELECT DATE_FORMAT(created_at, '%Y-%m') AS month, count(*) AS users
        FROM users GROUP BY month ORDER BY month`),
    };
    await sample.expectAnswer('/mysql/analytics/users', expected);
    expect(expected.demographics.by_gender).toContainEqual({ gender: null, users: expect.any(Number) });
    expect(expected.demographics.by_gender).toContainEqual({ gender: '', users: expect.any(Number) });
  });

  it.each([1, 12, 36])('growth by state over %d months', async (months) => {
    /** The first day of the month that is `before` that of the snapshot. */
    const monthStart = (before: number) => `DATE_FORMAT('${asOf}' - INTERVAL ${before} MONTH, '%Y-%m-01')`;
    const isBefore = `created_at < ${monthStart(months - 1)}`;
    const isWithin = `created_at >= ${monthStart(months - 1)} AND created_at < ${monthStart(-1)}`;
    const growth = await rows(`
      SELECT estado AS state, count(IF(${isBefore}, 1, NULL)) AS users_before,
        count(IF(${isWithin}, 1, NULL)) AS users_in_window,
        round(count(IF(${isWithin}, 1, NULL)) / nullif(count(IF(${isBefore}, 1, NULL)), 0), 6) AS growth_rate
      FROM users GROUP BY estado
      ORDER BY growth_rate DESC, BINARY estado`);
    const expected = {
      as_of: asOf,
      months,
      series: await rows(`
        WITH RECURSIVE numbers AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ${months}),
        months AS (SELECT DATE_FORMAT('${asOf}' - INTERVAL n MONTH, '%Y-%m') AS month FROM numbers)
        SELECT state, month,
          (SELECT count(*) FROM users WHERE estado = state AND DATE_FORMAT(created_at, '%Y-%m') = month) AS users
        FROM (SELECT DISTINCT estado AS state FROM users) AS states CROSS JOIN months
        ORDER BY BINARY state, month`),
      growth,
      fastest_growing: growth.filter(({ growth_rate }) => growth_rate !== null).slice(0, 5),
    };
    await sample.expectAnswer(`/mysql/analytics/growth-by-state?months=${months}`, expected);
    if (months === 12) await sample.expectAnswer('/mysql/analytics/growth-by-state', expected);
  });
});
