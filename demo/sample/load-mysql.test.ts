import { randomUUID } from 'node:crypto';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { describeWith, mysqlEnv } from '../../test/services/need';
import { generate } from './insurance/generate';
import type { Connection } from './load';
import { loadMysql } from './load-mysql';

describeWith(['mysql'], 'the sample in MySQL', () => {
  const database = `sample_${randomUUID().replaceAll('-', '')}`;
  const connection = (): Connection => {
    const { host, port, user, password } = mysqlEnv();
    return { host, port, user, password, database };
  };
  const query = async (sql: string, name: string | undefined = database): Promise<RowDataPacket[]> => {
    const client = await createConnection({ ...connection(), database: name, charset: 'utf8mb4', dateStrings: true });
    try {
      await client.query("SET time_zone = '+00:00'");
      return (await client.query<RowDataPacket[]>(sql))[0];
    } finally {
      await client.end();
    }
  };
  const expectContent = async (scale: number, seed?: number): Promise<void> => {
    for (const [table, rows] of Object.entries(generate(scale, seed).mysql)) {
      expect(await query(`SELECT * FROM ${table} ORDER BY id`)).toEqual([...rows()]);
    }
  };

  beforeAll(() => query(`CREATE DATABASE ${database}`, ''));
  afterAll(() => query(`DROP DATABASE IF EXISTS ${database}`, ''));

  it('is what the generator made, value by value, also when loaded again with other rows', async () => {
    await loadMysql(connection(), { scale: 0.2, seed: 5 });
    await expectContent(0.2, 5);
    const loaded = await loadMysql(connection());
    await expectContent(1);
    expect(await loadMysql(connection())).toEqual(loaded);
    await expectContent(1);
  });

  it('never replaces tables that it did not make', async () => {
    await query('DROP TABLE IF EXISTS beneficiaries');
    await query('CREATE TABLE beneficiaries (precious int)');
    await expect(loadMysql(connection())).rejects.toThrow('tables of its own named beneficiaries');
    await query('DROP TABLE beneficiaries');
  });
});
