import { SettingsReader, type SourceEnv, SSL_MODES, type SslMode } from '@ingesta/kit';
import { isServerKeyspace } from './server-keyspaces';

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
  const read = new SettingsReader(env);
  const settings: Settings = {
    hosts: read
      .required('CASSANDRA_HOST')
      .split(',')
      .map((host) => host.trim())
      .filter((host) => host !== ''),
    port: read.port('CASSANDRA_PORT', '9042'),
    user: read.optional('CASSANDRA_USER'),
    password: read.optional('CASSANDRA_PASSWORD'),
    keyspace: read.required('CASSANDRA_KEYSPACE'),
    localDc: read.optional('CASSANDRA_LOCAL_DC'),
    sslMode: read.oneOf('CASSANDRA_SSL_MODE', 'disable', SSL_MODES),
    sslCa: read.optional('CASSANDRA_SSL_CA'),
    connectTimeout: read.seconds('CASSANDRA_CONNECT_TIMEOUT', '10'),
    consistency: read.oneOf('CASSANDRA_CONSISTENCY', 'LOCAL_QUORUM', CONSISTENCIES),
    pageSize: read.number('CASSANDRA_PAGE_SIZE', env.CASSANDRA_PAGE_SIZE || '5000', 1, 1_000_000),
  };
  if (env.CASSANDRA_HOST && settings.hosts.length === 0) read.problems.push('CASSANDRA_HOST names no host');
  if (isServerKeyspace(settings.keyspace)) read.problems.push('CASSANDRA_KEYSPACE is a keyspace of the server');
  read.finish();
  return settings;
}
