import { Client } from 'pg';
import { HOST_FROM_CONTAINER } from './service';

/** Every statement is logged: tests assert which columns were never asked for. Durability is off: it lives for one run. */
export const commonSettings: Readonly<Record<string, string>> = {
  max_connections: '100',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  log_statement: 'all',
};

/** What the tests read. */
export function postgresqlEnv(port: number, password: string, logFile: string): Record<string, string> {
  return {
    INGESTA_TEST_PG_HOST: '127.0.0.1',
    INGESTA_TEST_PG_PORT: String(port),
    INGESTA_TEST_PG_USER: 'postgres',
    INGESTA_TEST_PG_PASSWORD: password,
    INGESTA_TEST_PG_DOCKER_HOST: HOST_FROM_CONTAINER,
    INGESTA_TEST_PG_LOG: logFile,
  };
}

/** The version of the server, asked over a real connection. */
export async function postgresqlVersion(port: number, password: string): Promise<string> {
  const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' });
  await client.connect();
  try {
    const answer = await client.query<{ server_version: string }>('SHOW server_version');
    return answer.rows[0]!.server_version;
  } finally {
    await client.end();
  }
}
