import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import request from 'supertest';
import { loadMysql } from '../../demo/sample/load-mysql';
import { createMysql, type TestDatabase } from '../e2e/harness/databases';
import { describeWith, mysqlEnv } from '../services/need';
import { type AnalyticsApp, analyticsApp } from './sample-app';
import { AS_OF, type SampleLake, sampleLake } from './sample-lake';

/** The first day of the month that is `months` before that of the snapshot. */
const monthStart = (months: number) => `DATE_FORMAT('${AS_OF}' - INTERVAL ${months} MONTH, '%Y-%m-01')`;

describeWith(['mysql'], 'user routes, against SQL of the database itself', () => {
  let database: TestDatabase;
  let client: Connection;
  let lake: SampleLake;
  let analytics: AnalyticsApp;

  beforeAll(async () => {
    const { host, port, user, password } = mysqlEnv();
    database = await createMysql();
    await loadMysql({ host, port, user, password, database: database.name });
    client = await createConnection({ host, port, user, password, database: database.name, decimalNumbers: true });
    lake = await sampleLake();
    analytics = await analyticsApp(lake);
  });
  afterAll(async () => {
    await client?.end();
    await analytics?.close();
    await lake?.remove();
    await database?.drop();
  });

  const rows = async (sql: string) => (await client.query<RowDataPacket[]>(sql))[0].map((row) => ({ ...row }));
  const one = async (sql: string) => (await rows(sql))[0];
  const get = (path: string) => request(analytics.app).get(path);

  it('users', async () => {
    const age = `TIMESTAMPDIFF(YEAR, fecha_nacimiento, '${AS_OF}')`;
    const expected = {
      as_of: AS_OF,
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
    const { status, body, text } = await get('/mysql/analytics/users');
    expect({ status, body }).toEqual({ status: 200, body: expected });
    expect(text).toBe(JSON.stringify(expected));
    expect(expected.demographics.by_gender).toContainEqual({ gender: null, users: expect.any(Number) });
    expect(expected.demographics.by_gender).toContainEqual({ gender: '', users: expect.any(Number) });
  });

  it.each([1, 12, 36])('growth by state over %d months', async (months) => {
    const first = monthStart(months - 1);
    const growth = await rows(`
      SELECT estado AS state, count(IF(created_at < ${first}, 1, NULL)) AS users_before,
        count(IF(created_at >= ${first} AND created_at < ${monthStart(-1)}, 1, NULL)) AS users_in_window,
        round(count(IF(created_at >= ${first} AND created_at < ${monthStart(-1)}, 1, NULL))
          / nullif(count(IF(created_at < ${first}, 1, NULL)), 0), 6) AS growth_rate
      FROM users GROUP BY estado
      ORDER BY growth_rate DESC, BINARY estado`);
    const counted = await rows(`SELECT estado AS state, DATE_FORMAT(created_at, '%Y-%m') AS month, count(*) AS users
      FROM users WHERE created_at >= ${first} AND created_at < ${monthStart(-1)} GROUP BY estado, month`);
    const users = new Map(counted.map((row) => [`${row.state} ${row.month}`, row.users]));
    const states = (await rows('SELECT estado AS state FROM users GROUP BY estado ORDER BY BINARY estado')).map(
      (row) => row.state,
    );
    const last = new Date(AS_OF);
    const names = Array.from({ length: months }, (_, i) =>
      new Date(Date.UTC(last.getUTCFullYear(), last.getUTCMonth() - (months - 1 - i), 1)).toISOString().slice(0, 7),
    );
    const expected = {
      as_of: AS_OF,
      months,
      series: states.flatMap((state) =>
        names.map((month) => ({ state, month, users: users.get(`${state} ${month}`) ?? 0 })),
      ),
      growth,
      fastest_growing: growth.filter(({ growth_rate }) => growth_rate !== null).slice(0, 5),
    };
    const { status, body } = await get(`/mysql/analytics/growth-by-state?months=${months}`);
    expect({ status, body }).toEqual({ status: 200, body: expected });
    if (months === 12) expect((await get('/mysql/analytics/growth-by-state')).body).toEqual(body);
  });
});
