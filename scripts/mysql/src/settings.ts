import { isIP } from 'node:net';
import { configError, type SourceEnv } from '@ingesta/kit';

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof SSL_MODES)[number];

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
  const settings: Settings = {
    host: text('MYSQL_HOST'),
    port: number('MYSQL_PORT', '3306', 65_535),
    user: text('MYSQL_USER'),
    password: env.MYSQL_PASSWORD ?? '',
    database: text('MYSQL_DATABASE'),
    sslMode: (env.MYSQL_SSL_MODE || 'disable') as SslMode,
    sslCa: env.MYSQL_SSL_CA ?? '',
    // 2^31-1 ms is the most that timers take.
    connectTimeout: number('MYSQL_CONNECT_TIMEOUT', '10', 2_147_483) * 1000,
  };
  if (!SSL_MODES.includes(settings.sslMode)) problems.push(`MYSQL_SSL_MODE is none of ${SSL_MODES.join(', ')}`);
  if (settings.sslMode === 'verify-full' && isIP(settings.host) !== 0) {
    // For an address mysql2 would compare the certificate with "localhost".
    problems.push('MYSQL_SSL_MODE=verify-full needs a host name in MYSQL_HOST; with an address use verify-ca');
  }
  if (problems.length > 0) throw configError(problems.join('; '), 'Correct the named variables.');
  return settings;
}
