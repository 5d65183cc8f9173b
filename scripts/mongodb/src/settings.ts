import { SettingsReader, type SourceEnv, SSL_MODES, type SslMode } from '@ingesta/kit';
import { BSON, MongoClient, type MongoClientOptions } from 'mongodb';
import { type DeclaredColumns, declaredColumns } from './declared-columns';
import { isObject } from './pipeline-check';

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
  const read = new SettingsReader(env);
  const { problems } = read;
  const connectTimeout = read.seconds('MONGO_CONNECT_TIMEOUT', '10');
  const snapshot = read.oneOf('MONGO_SNAPSHOT', 'auto', ['auto', 'off']) === 'auto';
  const sslMode = read.oneOf('MONGO_SSL_MODE', 'disable', SSL_MODES);
  const place = env.MONGO_URI
    ? fromUri(env.MONGO_URI, env.MONGO_DATABASE ?? '', problems)
    : fromParts(env, read.port('MONGO_PORT', '27017'), problems);
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
  read.finish();
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
