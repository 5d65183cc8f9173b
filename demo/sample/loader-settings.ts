import { DEFAULT_SEED } from './insurance/world';
import type { Connection } from './load';

/** What the loader of the compose demo is told through its environment. */
export interface LoaderSettings {
  postgresql: Connection;
  mysql: Connection;
  /** Null where `CASSANDRA_HOST` is not set. */
  cassandra: Connection | null;
  scale: number;
  seed: number;
  /** How long the servers may take to accept connections, in seconds. */
  waitSeconds: number;
}

/**
 * Reads `POSTGRES_` and `MYSQL_` + `HOST PORT USER PASSWORD DATABASE` (also `POSTGRES_DB`), `SCALE`, `SEED`,
 * `WAIT_SECONDS`, and `CASSANDRA_` + `HOST PORT USER PASSWORD KEYSPACE` where there is one. Ports, scale, seed and wait have defaults.
 *
 * @throws Error that lists every problem at once.
 */
export const parseLoaderSettings = (env: Readonly<Record<string, string | undefined>>): LoaderSettings => {
  const problems: string[] = [];
  const text = (...names: string[]): string => {
    const value = names.map((name) => env[name]).find((candidate) => candidate !== undefined && candidate !== '');
    if (value === undefined) problems.push(`${names.join(' or ')} is not set`);
    return value ?? '';
  };
  const number = (name: string, fallback: number, valid: (value: number) => boolean, kind: string): number => {
    const given = env[name];
    if (given === undefined || given === '') return fallback;
    const value = Number(given);
    if (!valid(value)) problems.push(`${name} must be ${kind}, not ${JSON.stringify(given)}`);
    return value;
  };
  const positive = (value: number) => value > 0 && Number.isFinite(value);
  const connection = (prefix: string, port: number, ...database: string[]): Connection => ({
    host: text(`${prefix}_HOST`),
    port: number(`${prefix}_PORT`, port, (n) => Number.isInteger(n) && n > 0 && n < 65_536, 'a port'),
    user: text(`${prefix}_USER`),
    password: text(`${prefix}_PASSWORD`),
    database: text(...database),
  });
  const settings = {
    postgresql: connection('POSTGRES', 5432, 'POSTGRES_DB', 'POSTGRES_DATABASE'),
    mysql: connection('MYSQL', 3306, 'MYSQL_DATABASE'),
    cassandra: env.CASSANDRA_HOST ? connection('CASSANDRA', 9042, 'CASSANDRA_KEYSPACE') : null,
    scale: number('SCALE', 1, positive, 'a positive number'),
    seed: number('SEED', DEFAULT_SEED, Number.isSafeInteger, 'an integer'),
    waitSeconds: number('WAIT_SECONDS', 60, positive, 'a positive number'),
  };
  if (problems.length > 0) throw new Error(problems.join('; '));
  return settings;
};
