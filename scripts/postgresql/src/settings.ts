import { SettingsReader, type SourceEnv, SSL_MODES, type SslMode } from '@ingesta/kit';

/** One connection, checked. Times are in milliseconds. */
export interface Settings {
  /** A path that starts with `/` is the folder of a Unix socket. */
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  sslMode: SslMode;
  /** PEM text, the path of a PEM file, or '' for the well-known authorities. */
  sslCa: string;
  /** Server options of the URI (`-c name=value`), as poolers and hosted services use them. */
  options: string;
  connectTimeout: number;
  statementTimeout: number;
}

/** Reads the variables of `source.json`. Throws one `configError` that lists every problem, without any value. */
export function parseSettings(env: SourceEnv): Settings {
  const read = new SettingsReader(env);
  const uri = env.POSTGRES_URI ? partsOfUri(env.POSTGRES_URI, read.problems) : null;
  const parts = uri ?? {
    host: read.optional('POSTGRES_HOST'),
    port: env.POSTGRES_PORT || '5432',
    user: read.optional('POSTGRES_USER'),
    password: read.optional('POSTGRES_PASSWORD'),
    database: read.optional('POSTGRES_DB'),
    options: '',
    sslMode: '',
    sslCa: '',
  };
  const settings: Settings = {
    host: parts.host,
    port: read.number(uri ? 'The port in POSTGRES_URI' : 'POSTGRES_PORT', parts.port, 1, 65_535),
    user: parts.user,
    password: parts.password,
    database: parts.database,
    sslMode: read.choice(
      parts.sslMode ? 'sslmode in POSTGRES_URI' : 'POSTGRES_SSL_MODE',
      parts.sslMode || env.POSTGRES_SSL_MODE || 'disable',
      SSL_MODES,
    ),
    sslCa: parts.sslCa || read.optional('POSTGRES_SSL_CA'),
    options: parts.options,
    connectTimeout: read.seconds('POSTGRES_CONNECT_TIMEOUT', '10'),
    statementTimeout: read.seconds('POSTGRES_STATEMENT_TIMEOUT', '0', 0),
  };
  read.finish();
  return settings;
}

type UriParts = Record<'host' | 'port' | 'user' | 'password' | 'database' | 'options' | 'sslMode' | 'sslCa', string>;

/** The driver's own URI parser reads `sslmode=require` differently from libpq, so the parts are taken here. */
function partsOfUri(text: string, problems: string[]): UriParts {
  try {
    const uri = new URL(text);
    if (!/^postgres(ql)?:$/.test(uri.protocol)) throw new Error('another protocol');
    const query = (name: string) => uri.searchParams.get(name) ?? '';
    const user = decodeURIComponent(uri.username) || query('user');
    const parts = {
      host: decodeURIComponent(uri.hostname).replace(/^\[|\]$/g, '') || query('host'),
      port: uri.port || query('port') || '5432',
      user,
      password: decodeURIComponent(uri.password) || query('password'),
      // As libpq does: a database of the user's name where none is named.
      database: decodeURIComponent(uri.pathname.slice(1)) || query('dbname') || user,
      options: query('options'),
      sslMode: query('sslmode'),
      sslCa: query('sslrootcert'),
    };
    if (parts.host === '' || parts.user === '') problems.push('POSTGRES_URI names no host or no user');
    return parts;
  } catch {
    // The error's text would show the password.
    problems.push('POSTGRES_URI is no postgresql:// URI (special characters of a password must be percent-encoded)');
    return { host: '', port: '5432', user: '', password: '', database: '', options: '', sslMode: '', sslCa: '' };
  }
}
