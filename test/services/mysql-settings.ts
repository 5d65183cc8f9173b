import { createConnection } from 'mysql2/promise';
import { HOST_FROM_CONTAINER } from './service';

/** The account of the tests: everything, from any host. */
export const MYSQL_USER = 'ingesta';

/** Every statement is logged: tests assert which columns were never asked for. Durability is off: it lives for one run. */
export function commonOptions(logFile: string): string[] {
  return [
    '--general-log=1',
    `--general-log-file=${logFile}`,
    '--local-infile=1',
    '--max-allowed-packet=64M',
    '--skip-name-resolve',
    '--innodb-flush-log-at-trx-commit=0',
    '--innodb-doublewrite=0',
    // MariaDB's alone.
    '--loose-sync-frm=0',
  ];
}

/** The statements that make the account; a server reads each line of an init file as one statement. */
export function createUser(password: string): string {
  return [
    `CREATE USER '${MYSQL_USER}'@'%' IDENTIFIED BY '${password}';`,
    `GRANT ALL PRIVILEGES ON *.* TO '${MYSQL_USER}'@'%' WITH GRANT OPTION;`,
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';`,
    '',
  ].join('\n');
}

/** What the tests read. */
export function mysqlEnv(port: number, password: string, logFile: string): Record<string, string> {
  return {
    INGESTA_TEST_MYSQL_HOST: '127.0.0.1',
    INGESTA_TEST_MYSQL_PORT: String(port),
    INGESTA_TEST_MYSQL_USER: MYSQL_USER,
    INGESTA_TEST_MYSQL_PASSWORD: password,
    INGESTA_TEST_MYSQL_DOCKER_HOST: HOST_FROM_CONTAINER,
    INGESTA_TEST_MYSQL_LOG: logFile,
  };
}

/** Product and version of the server, asked over a real connection. */
export async function mysqlVersion(port: number, password: string): Promise<string> {
  const connection = await createConnection({ host: '127.0.0.1', port, user: MYSQL_USER, password });
  try {
    const [rows] = await connection.query('SELECT VERSION() AS version');
    const version = (rows as { version: string }[])[0]!.version;
    return version.includes('MariaDB') ? `MariaDB ${version.split('-')[0]}` : `MySQL ${version}`;
  } finally {
    await connection.end();
  }
}
