import { configError, type SourceEnv } from '@ingesta/kit';
import { BSON, MongoClient, type MongoClientOptions } from 'mongodb';
import { type DeclaredColumns, declaredColumns } from './declared-columns';
import { isObject } from './pipeline-check';

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof SSL_MODES)[number];

/** One connection, checked. */
export interface Settings {
  uri: string;
  options: MongoClientOptions;
  database: string;
  /** The server as messages name it, without the user. */
  where: string;
  /** `disable` also where MONGO_URI says itself how TLS is to be. */
  sslMode: SslMode;
  /** PEM text, the path of a PEM file, or '' for the well-known authorities. */
  sslCa: string;
  /** Milliseconds for the connection attempt, login included. */
  connectTimeout: number;
  /** False where the export takes longer than the server keeps its history. */
  snapshot: boolean;
  /** By collection: the only columns to take, as somebody wrote them down. */
  columns: ReadonlyMap<string, DeclaredColumns>;
}

/** Reads the variables of `source.json`. Throws one `configError` that lists every problem, without any value. */
export function parseSettings(env: SourceEnv): Settings {
  const problems: string[] = [];
  const number = (name: string, fallback: string, max: number): number => {
    const value = env[name] || fallback;
    if (!/^\d+$/.test(value) || Number(value) < 1 || Number(value) > max) {
      problems.push(`${name} is no number from 1 to ${max}`);
    }
    return Number(value);
  };
  const choice = (name: string, fallback: string, ...known: string[]): string => {
    const value = env[name] || fallback;
    if (!known.includes(value)) problems.push(`${name} is none of ${known.join(', ')}`);
    return value;
  };
  // 2^31-1 ms is the most that timers take.
  const connectTimeout = number('MONGO_CONNECT_TIMEOUT', '10', 2_147_483) * 1000;
  const snapshot = choice('MONGO_SNAPSHOT', 'auto', 'auto', 'off') === 'auto';
  const sslMode = choice('MONGO_SSL_MODE', 'disable', ...SSL_MODES) as SslMode;
  const place = env.MONGO_URI
    ? fromUri(env.MONGO_URI, env.MONGO_DATABASE ?? '', problems)
    : fromParts(env, number('MONGO_PORT', '27017', 65_535), problems);
  const uriOptions = new URLSearchParams((env.MONGO_URI ?? '').replace(/^[^?]*/, '').toLowerCase());
  const uriDecides = uriOptions.has('tls') || uriOptions.has('ssl');
  if (place.database === '') {
    problems.push(
      env.MONGO_URI ? 'Neither MONGO_URI nor MONGO_DATABASE names a database' : 'MONGO_DATABASE is not set',
    );
  } else if (/[/\\. "$\0]/.test(place.database)) {
    problems.push('The database has a name that MongoDB does not allow');
  }
  const columns = columnsByCollection(env.MONGO_COLUMNS ?? '', problems);
  if (problems.length > 0) throw configError(problems.join('; '), 'Correct the named variables.');
  const sslCa = uriOptions.has('tlscafile') ? '' : (env.MONGO_SSL_CA ?? '');
  return { ...place, sslMode: uriDecides ? 'disable' : sslMode, sslCa, connectTimeout, snapshot, columns };
}

type Place = Pick<Settings, 'uri' | 'options' | 'database' | 'where'>;

function fromParts(env: SourceEnv, port: number, problems: string[]): Place {
  const host = env.MONGO_HOST ?? '';
  if (host === '') problems.push('MONGO_HOST is not set');
  else if (/[/,@?\s]/.test(host)) problems.push('MONGO_HOST is no single host (for several of them use MONGO_URI)');
  const username = env.MONGO_USER ?? '';
  const address = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  return {
    uri: `mongodb://${address}/`,
    options: {
      // The members of a replica set call each other by names that we may not know.
      directConnection: true,
      ...(username && {
        auth: { username, password: env.MONGO_PASSWORD ?? '' },
        authSource: env.MONGO_AUTH_SOURCE || 'admin',
      }),
    },
    database: env.MONGO_DATABASE ?? '',
    where: address,
  };
}

function fromUri(uri: string, fallback: string, problems: string[]): Place {
  const [, where = '', path = ''] = /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/?]*)(?:\/([^?]*))?/.exec(uri) ?? [];
  let database = '';
  try {
    // The driver's own check; it opens nothing.
    new MongoClient(uri);
    database = decodeURIComponent(path) || fallback;
  } catch {
    // The error's text may show the password.
    problems.push('MONGO_URI is no mongodb:// URI (special characters of a password must be percent-encoded)');
    return { uri, options: {}, database: '-', where };
  }
  return { uri, options: {}, database, where };
}

/** Reads `{"recetas":{"_id":"objectId","total":"int|double"}}`. */
function columnsByCollection(text: string, problems: string[]): Map<string, DeclaredColumns> {
  if (text === '') return new Map();
  let value: unknown;
  try {
    value = BSON.EJSON.parse(text);
  } catch {
    value = null;
  }
  if (!isObject(value)) {
    problems.push('MONGO_COLUMNS is no JSON object of collections');
    return new Map();
  }
  const read = ([name, columns]: [string, unknown]) =>
    [name, declaredColumns(columns, `MONGO_COLUMNS: ${name}`, problems)] as const;
  return new Map(Object.entries(value).map(read));
}
