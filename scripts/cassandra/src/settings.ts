import { configError, type SourceEnv } from '@ingesta/kit';
import { isServerKeyspace } from './server-keyspaces';

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

const CONSISTENCIES = ['ONE', 'TWO', 'THREE', 'QUORUM', 'ALL', 'LOCAL_QUORUM', 'LOCAL_ONE'] as const;
export type ReadConsistency = (typeof CONSISTENCIES)[number];

/** One connection, checked. */
export interface Settings {
  /** Host names or addresses. */
  hosts: string[];
  port: number;
  user: string;
  password: string;
  keyspace: string;
  /** '' for that of the first node that answers. */
  localDc: string;
  sslMode: SslMode;
  /** PEM text, the path of a PEM file, or '' for the well-known authorities. */
  sslCa: string;
  /** Milliseconds for connecting, login included. */
  connectTimeout: number;
  consistency: ReadConsistency;
  pageSize: number;
}

/** Reads the variables of `source.json`. Throws one `configError` that lists every problem, without any value. */
export function parseSettings(env: SourceEnv): Settings {
  const problems: string[] = [];
  const text = (name: string): string => {
    const value = env[name] ?? '';
    if (value === '') problems.push(`${name} is not set`);
    return value;
  };
  const number = (name: string, fallback: string, max: number): number => {
    const value = env[name] || fallback;
    if (!/^\d+$/.test(value) || Number(value) < 1 || Number(value) > max) {
      problems.push(`${name} is no number from 1 to ${max}`);
    }
    return Number(value);
  };
  const oneOf = <T extends string>(name: string, fallback: T, known: readonly T[]): T => {
    const value = (env[name] || fallback) as T;
    if (!known.includes(value)) problems.push(`${name} is none of ${known.join(', ')}`);
    return value;
  };
  const settings: Settings = {
    hosts: text('CASSANDRA_HOST')
      .split(',')
      .map((host) => host.trim())
      .filter((host) => host !== ''),
    port: number('CASSANDRA_PORT', '9042', 65_535),
    user: env.CASSANDRA_USER ?? '',
    password: env.CASSANDRA_PASSWORD ?? '',
    keyspace: text('CASSANDRA_KEYSPACE'),
    localDc: env.CASSANDRA_LOCAL_DC ?? '',
    sslMode: oneOf('CASSANDRA_SSL_MODE', 'disable', SSL_MODES),
    sslCa: env.CASSANDRA_SSL_CA ?? '',
    // 2^31-1 ms is the most that timers take.
    connectTimeout: number('CASSANDRA_CONNECT_TIMEOUT', '10', 2_147_483) * 1000,
    consistency: oneOf('CASSANDRA_CONSISTENCY', 'LOCAL_QUORUM', CONSISTENCIES),
    pageSize: number('CASSANDRA_PAGE_SIZE', '5000', 1_000_000),
  };
  if (env.CASSANDRA_HOST && settings.hosts.length === 0) problems.push('CASSANDRA_HOST names no host');
  if (isServerKeyspace(settings.keyspace)) problems.push('CASSANDRA_KEYSPACE is a keyspace of the server');
  if (problems.length > 0) throw configError(problems.join('; '), 'Correct the named variables.');
  return settings;
}
