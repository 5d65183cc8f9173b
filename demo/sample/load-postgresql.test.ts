import { randomUUID } from 'node:crypto';
import { Client, types } from 'pg';
import { describeWith, pgEnv } from '../../test/services/need';
import { generate } from './insurance/generate';
import type { Connection } from './load';
import { loadPostgresql } from './load-postgresql';

/** PostgreSQL writes no zeros at the end of a fraction, and no empty fraction. */
const trimmed = (instant: string): string =>
  instant.replace(/(\.\d*?)0*\+00$/, (_, fraction: string) => (fraction === '.' ? '+00' : `${fraction}+00`));

/** Dates and instants as the text the server writes, bigint as a number. */
const asText = (oid: number): ((text: string) => unknown) =>
  oid === types.builtins.DATE || oid === types.builtins.TIMESTAMPTZ
    ? (text) => text
    : oid === types.builtins.INT8
      ? Number
      : types.getTypeParser(oid, 'text');

describeWith(['postgresql'], 'the sample in PostgreSQL', () => {
  const database = `sample_${randomUUID().replaceAll('-', '')}`;
  const connection = (name = database): Connection => {
    const { host, port, user, password } = pgEnv();
    return { host, port, user, password, database: name };
  };
  const query = async (sql: string, name?: string): Promise<Record<string, unknown>[]> => {
    const client = new Client({ ...connection(name), types: { getTypeParser: asText } });
    await client.connect();
    try {
      await client.query("SET TIME ZONE 'UTC'");
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const expectContent = async (scale: number, seed?: number): Promise<void> => {
    const { products, policies, coberturas } = generate(scale, seed).postgresql;
    const inserted = (await query('SELECT * FROM products ORDER BY id')).map((row) => ({
      ...row,
      created_at: trimmed(String(row.created_at)),
    }));
    expect(inserted).toEqual([...products()].map((row) => ({ ...row, created_at: trimmed(row.created_at) })));
    expect(await query('SELECT * FROM policies ORDER BY id')).toEqual([...policies()]);
    expect(await query('SELECT * FROM coberturas ORDER BY id')).toEqual([...coberturas()]);
  };

  beforeAll(() => query(`CREATE DATABASE ${database}`, 'postgres'));
  afterAll(() => query(`DROP DATABASE IF EXISTS ${database}`, 'postgres'));

  it('is what the generator made, value by value, also when loaded again with other rows', async () => {
    await loadPostgresql(connection(), { scale: 0.2, seed: 5 });
    await expectContent(0.2, 5);
    const loaded = await loadPostgresql(connection());
    await expectContent(1);
    expect(await loadPostgresql(connection())).toEqual(loaded);
    await expectContent(1);
  });

  it('keeps what stood there when a load fails half-way', async () => {
    await loadPostgresql(connection(), { scale: 0.1 });
    // Puts a constraint on the new table, so that the last rows of the load are refused.
    await query(`
      CREATE FUNCTION only_few() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF to_regclass('coberturas') IS NOT NULL THEN
          ALTER TABLE coberturas ADD CONSTRAINT few CHECK (id < 1500);
        END IF;
      END $$;
      CREATE EVENT TRIGGER only_few ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION only_few()`);
    await expect(loadPostgresql(connection(), { scale: 0.5 })).rejects.toThrow('few');
    await query('DROP EVENT TRIGGER only_few; DROP FUNCTION only_few()');
    await expectContent(0.1);
  });

  it('never replaces tables that it did not make', async () => {
    await query('DROP TABLE IF EXISTS coberturas; CREATE TABLE coberturas (precious int)');
    await expect(loadPostgresql(connection())).rejects.toThrow('tables of its own named coberturas');
    await query('DROP TABLE coberturas');
  });
});
