import { isIP } from 'node:net';
import { SettingsReader, type SourceEnv, SSL_MODES, type SslMode } from '@ingesta/kit';

/** One connection, checked. */
export interface Settings {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  sslMode: SslMode;
  /** PEM text, the path of a PEM file, or '' for the well-known authorities. */
  sslCa: string;
  /** Milliseconds for the connection attempt, login included. */
  connectTimeout: number;
}

/** Reads the variables of `source.json`. Throws one `configError` that lists every problem, without any value. */
export function parseSettings(env: SourceEnv): Settings {
  const read = new SettingsReader(env);
  const settings: Settings = {
    host: read.required('MYSQL_HOST'),
    port: read.port('MYSQL_PORT', '3306'),
    user: read.required('MYSQL_USER'),
    password: read.optional('MYSQL_PASSWORD'),
    database: read.required('MYSQL_DATABASE'),
    sslMode: read.oneOf('MYSQL_SSL_MODE', 'disable', SSL_MODES),
    sslCa: read.optional('MYSQL_SSL_CA'),
    connectTimeout: read.seconds('MYSQL_CONNECT_TIMEOUT', '10'),
  };
  if (settings.sslMode === 'verify-full' && isIP(settings.host) !== 0) {
    // For an address mysql2 would compare the certificate with "localhost".
    read.problems.push('MYSQL_SSL_MODE=verify-full needs a host name in MYSQL_HOST; with an address use verify-ca');
  }
  read.finish();
  return settings;
}
