import { readSetting } from '@ingesta/kit';
import type { Env, SettingReaders } from './config';

/** Which engine answers analytics, and the catalog it finds the tables in. */
export interface QueryEngineConfig {
  readonly queryEngine: 'duckdb' | 'athena' | 'trino';
  /** Whether tables are kept in the AWS Glue catalog. */
  readonly glueCatalog: boolean;
  readonly glueDatabase: string;
  /** Null unless the engine is Trino. */
  readonly trino: {
    readonly url: string;
    readonly catalog: string;
    readonly schema: string;
    readonly user: string;
    /** Null where Trino asks for none. */
    readonly password: string | null;
  } | null;
  /** Null unless the engine is Athena. */
  readonly athena: {
    readonly workgroup: string;
    /** `s3://bucket/folder/` for results; null where the workgroup says it. */
    readonly output: string | null;
  } | null;
}

const NAME = /^[a-z0-9_]{1,255}$/;

/** Parses these settings; what is wrong with them is added to `problems`. */
export function parseQueryEngine(env: Env, readers: SettingReaders, problems: string[]): QueryEngineConfig {
  const { text, choice, matching } = readers;
  const queryEngine = choice('QUERY_ENGINE', 'duckdb', ['duckdb', 'athena', 'trino']);
  const server = queryEngine !== 'duckdb';
  const glueCatalog = choice('GLUE_CATALOG', server ? 'on' : 'off', ['on', 'off']) === 'on';
  const names = 'lower-case letters, digits and _';
  const glueDatabase = matching('GLUE_DATABASE', 'primac_analytics_db', NAME, names);
  const trino = {
    url: text('TRINO_URL', ''),
    catalog: matching('TRINO_CATALOG', 'hive', /^[a-z0-9_-]+$/, 'the name of a catalog in Trino'),
    schema: matching('TRINO_SCHEMA', '', /^[a-z0-9_]{0,255}$/, names) || glueDatabase,
    user: text('TRINO_USER', 'ingesta'),
    password: trinoPassword(env, problems),
  };
  const athena = {
    workgroup: text('ATHENA_WORKGROUP', 'primary'),
    output: matching('ATHENA_OUTPUT', '', /^(s3:\/\/.+)?$/, 'like s3://bucket/folder/') || null,
  };
  if (queryEngine === 'trino') problems.push(...trinoProblems(trino));
  if (queryEngine === 'athena' && !glueCatalog)
    problems.push('QUERY_ENGINE=athena finds its tables in Glue: GLUE_CATALOG=off cannot be');
  if (glueCatalog && trino.schema !== glueDatabase && queryEngine === 'trino')
    problems.push(`TRINO_SCHEMA=${trino.schema} must be GLUE_DATABASE (${glueDatabase}) while GLUE_CATALOG is on`);
  if (env.LAKE_URL && (server || glueCatalog))
    problems.push(
      `${server ? `QUERY_ENGINE=${queryEngine}` : 'GLUE_CATALOG=on'} needs the lake to be a bucket: LAKE_URL is a folder`,
    );
  return {
    queryEngine,
    glueCatalog,
    glueDatabase,
    trino: queryEngine === 'trino' ? trino : null,
    athena: queryEngine === 'athena' ? athena : null,
  };
}

function trinoPassword(env: Env, problems: string[]): string | null {
  const { value, problem } = readSetting(env, 'TRINO_PASSWORD');
  if (problem !== undefined) problems.push(problem);
  return value ?? null;
}

function trinoProblems({ url, password }: { url: string; password: string | null }): string[] {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    return [`TRINO_URL=${url} must be like https://trino.example:8443`];
  return password !== null && !url.startsWith('https:')
    ? ['TRINO_PASSWORD is sent over https only: TRINO_URL must begin with https://']
    : [];
}
