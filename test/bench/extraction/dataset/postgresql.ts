import { Client } from 'pg';
import { createPostgresql } from '../../../e2e/harness/databases';
import { pgEnv } from '../../../services/need';
import { copyIn } from './copy-in';
import { csvStream } from './csv-text';
import type { LoadedTable } from './loaded-table';
import { TABLE } from './row';

const COLUMNS = `id integer PRIMARY KEY, account bigint NOT NULL, amount numeric(18,2), ratio double precision,
  active boolean, born date, seen timestamp, reference uuid, code varchar(20), note text, attributes jsonb, payload bytea`;

/** Loads the table by COPY. */
export async function loadPostgresql(rows: number): Promise<LoadedTable> {
  const created = await createPostgresql();
  const server = pgEnv();
  const { host, port, user, password } = server;
  const client = new Client({ host, port, user, password, database: created.name });
  try {
    await client.connect();
    await client.query(`CREATE TABLE ${TABLE} (${COLUMNS})`);
    await copyIn(client, `COPY ${TABLE} FROM STDIN (FORMAT csv)`, csvStream(rows, { nullText: '', hexPrefix: '\\x' }));
    // Visibility and statistics now, rather than by autovacuum while somebody is measured.
    await client.query(`VACUUM (ANALYZE, FREEZE) ${TABLE}`);
    await client.query('CHECKPOINT');
  } catch (error) {
    await created.drop();
    throw error;
  } finally {
    await client.end();
  }
  return { rows, database: created.name, server, settings: created.settings, drop: created.drop };
}
