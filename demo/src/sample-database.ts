import { Client } from 'pg';
import type { Engine } from '../../test/services/engine';
import { startEmbeddedPostgresql } from '../../test/services/postgresql';
import { loadPostgresql } from '../sample/load-postgresql';

const DATABASE = 'primac';

/** A real PostgreSQL with the insurance sample in it, on a free port, in a temporary folder. */
export async function startSampleDatabase(engine: Engine | undefined) {
  const server = await startEmbeddedPostgresql(engine);
  try {
    const { INGESTA_TEST_PG_PORT, INGESTA_TEST_PG_USER, INGESTA_TEST_PG_PASSWORD } = server.env;
    const connection = {
      host: '127.0.0.1',
      port: Number(INGESTA_TEST_PG_PORT),
      user: INGESTA_TEST_PG_USER!,
      password: INGESTA_TEST_PG_PASSWORD!,
    };
    const admin = new Client({ ...connection, database: 'postgres' });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${DATABASE}`);
    await admin.end();
    const loaded = await loadPostgresql({ ...connection, database: DATABASE });
    return {
      how: server.how,
      tables: Object.keys(loaded).length,
      rows: Object.values(loaded).reduce((sum, rows) => sum + rows, 0),
      env: {
        POSTGRES_PORT: String(connection.port),
        POSTGRES_USER: connection.user,
        POSTGRES_PASSWORD: connection.password,
        POSTGRES_DB: DATABASE,
      },
      stop: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
