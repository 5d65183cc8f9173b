import { dataKeys, lakeProblems, latestTemplateProblem, RESERVED_SOURCE_NAMES, SOURCE_NAME } from '@ingesta/kit';
import { parseRunner, type RunnerConfig } from './ecs-config';
import { parseQueryEngine, type QueryEngineConfig } from './query-engine-config';
import type { Connection } from './runners/named-connections';
import { parseScriptAccess, type ScriptAccessConfig } from './script-access-config';
import { parseSecurity, type SecurityConfig } from './security/security-config';

/** Environment as the gateway got it; sources look their own variables up in it. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Every setting of the gateway, in the order of `.env.example`. */
export interface Config extends QueryEngineConfig, RunnerConfig, ScriptAccessConfig, SecurityConfig {
  /** In production the `<NAME>_REMOTE` of a source's variables count over their plain names. */
  readonly environment: 'local' | 'production';
  readonly host: string;
  readonly port: number;
  /** A connection that nobody uses is closed after so long. */
  readonly keepAliveSeconds: number;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
  /** Shown by `GET /`. */
  readonly title: string;
  readonly dataSource: string;
  /** Named connections: `SOURCES=ventas=mysql:VENTAS_`. */
  readonly connections: ReadonlyMap<string, Connection>;
  /** Image of source x: `<imagePrefix>x:<imageTag>`. */
  readonly imagePrefix: string;
  readonly imageTag: string;
  /** Network the script containers join; null for Docker's default bridge. */
  readonly dockerNetwork: string | null;
  /** Folders of the process runner: `<scriptsDir>/<name>/source.json`. */
  readonly scriptsDir: string | null;
  /** Named queries: `<datasetsDir>/<source>/<name>.sql`. */
  readonly datasetsDir: string;
  readonly scriptMemoryMiB: number;
  readonly scriptCpus: number;
  readonly runTimeoutSeconds: number;
  /** Launches of one run at most, the first included. */
  readonly runAttempts: number;
  /** Runs of this gateway at the same time, and how many more may wait for their turn. */
  readonly maxConcurrentRuns: number;
  readonly maxQueuedRuns: number;
  /** A lease that nobody renewed for this long may be taken over. */
  readonly leaseTtlSeconds: number;
  /** How a run's objects are checked before it is published: by what the lake tells, or by reading them back. */
  readonly verify: 'head' | 'full';
  /** Keys of the copies that always show the published snapshot; null for none. */
  readonly latestTemplate: string | null;
  /** What is garbage stays for so long. */
  readonly sweepGraceSeconds: number;
  /** Published snapshots of a database that stay; null for all. */
  readonly keepSnapshots: number | null;
  /** Names of the analytics packs to load, of those that come with the gateway; null for all. */
  readonly packs: readonly string[] | null;
  /** Folder with more packs; null for none. */
  readonly packsDir: string | null;
  /** Seconds that an analytics query may take. */
  readonly queryTimeoutSeconds: number;
  /** Analytics queries that run at the same time; others wait. */
  readonly maxConcurrentQueries: number;
  /** What the gateway may keep of analytics answers, in bytes. */
  readonly resultCacheBytes: number;
  /** Folder of the local copies that DuckDB reads; null for one in the system's temporary folder. */
  readonly analyticsCacheDir: string | null;
  readonly analyticsCacheMiB: number;
  /** DuckDB's working memory; its process takes up to 450 MiB more. */
  readonly duckdbMemoryMiB: number;
  readonly duckdbThreads: number;
  /** Where the lake's folder lies on the Docker host when the gateway itself is a container; null if it is not. */
  readonly lakeHostPath: string | null;
  readonly env: Env;
}

/** All that is wrong with the environment, in one error. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem(s):\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    );
  }
}

/** Parses the environment once. A malformed value never becomes a default: it is a problem. */
export function parseConfig(env: Env): Config {
  const problems = [...lakeProblems(env)];
  const read = readers(env, problems);
  const { text, choice, int, number, matching } = read;
  const config: Config = {
    environment: choice('ENVIRONMENT', 'local', ['local', 'production']),
    host: text('HOST', '127.0.0.1'),
    port: int('PORT', 8000, 0, 65_535),
    keepAliveSeconds: int('KEEP_ALIVE_TIMEOUT', 65, 1, 86_400),
    logLevel: choice('LOG_LEVEL', 'info', ['error', 'warn', 'info', 'debug']),
    ...parseSecurity(env, read, problems),
    title: text('API_TITLE', 'Ingesta'),
    dataSource: text('DATA_SOURCE', 'Ingesta lake'),
    ...parseRunner(env, read, problems),
    connections: parseConnections(env.SOURCES, problems),
    imagePrefix: matching(
      'IMAGE_PREFIX',
      'ingesta-',
      /^[a-z0-9][a-z0-9._/:-]*$/,
      'lower-case letters, digits and ._/:-',
    ),
    imageTag: matching('IMAGE_TAG', 'latest', /^\w[\w.-]{0,127}$/, 'a Docker tag'),
    dockerNetwork: text('DOCKER_NETWORK', '') || null,
    scriptsDir: text('SCRIPTS_DIR', '') || null,
    datasetsDir: text('DATASETS_DIR', 'datasets'),
    scriptMemoryMiB: int('SCRIPT_MEMORY_MB', 256, 64, 1_048_576),
    scriptCpus: number('SCRIPT_CPUS', 1, 0.1, 256),
    ...parseScriptAccess(read, problems),
    runTimeoutSeconds: int('RUN_TIMEOUT', 3600, 1, 7 * 86_400),
    runAttempts: int('RUN_ATTEMPTS', 3, 1, 10),
    maxConcurrentRuns: int('MAX_CONCURRENT_RUNS', 4, 1, 64),
    maxQueuedRuns: int('MAX_QUEUED_RUNS', 16, 0, 1000),
    leaseTtlSeconds: int('LEASE_TTL', 30, 2, 600),
    verify: choice('VERIFY', 'head', ['head', 'full']),
    latestTemplate: text('LATEST_TEMPLATE', '') || null,
    sweepGraceSeconds: int('SWEEP_GRACE', 3600, 0, 30 * 86_400),
    keepSnapshots: int('KEEP_SNAPSHOTS', 0, 0, 1_000_000) || null,
    packs: parsePacks(env.PACKS, problems),
    packsDir: text('PACKS_DIR', '') || null,
    queryTimeoutSeconds: int('QUERY_TIMEOUT', 60, 1, 3600),
    maxConcurrentQueries: int('MAX_CONCURRENT_QUERIES', 4, 1, 64),
    resultCacheBytes: int('RESULT_CACHE_MB', 8, 0, 1024) * 1_048_576,
    analyticsCacheDir: text('ANALYTICS_CACHE_DIR', '') || null,
    analyticsCacheMiB: int('ANALYTICS_CACHE_MB', 2048, 64, 1_048_576),
    duckdbMemoryMiB: int('DUCKDB_MEMORY_MB', 512, 128, 1_048_576),
    duckdbThreads: int('DUCKDB_THREADS', 2, 1, 256),
    ...parseQueryEngine(env, read, problems),
    lakeHostPath: text('LAKE_HOST_PATH', '') || null,
    env,
  };
  problems.push(...keyTemplateProblems(env));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

/** `name=source:PREFIX_`, separated by commas. */
function parseConnections(setting: string | undefined, problems: string[]): ReadonlyMap<string, Connection> {
  const connections = new Map<string, Connection>();
  for (const entry of (setting ?? '').split(',').map((text) => text.trim())) {
    if (entry === '') continue;
    const [, name = '', kind = '', envPrefix = ''] = /^([^=:]+)=([^=:]+):([A-Z][A-Z0-9_]*_)$/.exec(entry) ?? [];
    const valid = SOURCE_NAME.test(name) && SOURCE_NAME.test(kind) && !RESERVED_SOURCE_NAMES.includes(name);
    if (!valid) problems.push(`SOURCES: "${entry}" must be like ventas=mysql:VENTAS_`);
    else if (connections.has(name)) problems.push(`SOURCES names ${name} twice`);
    else connections.set(name, { kind, envPrefix });
  }
  return connections;
}

/** Names separated by commas; `none` for none, null where nothing is set. Which packs there are, their loader knows. */
function parsePacks(setting: string | undefined, problems: string[]): readonly string[] | null {
  const names = (setting ?? '').split(',').flatMap((text) => text.trim() || []);
  if (names.length === 0) return null;
  if (names.length === 1 && names[0] === 'none') return [];
  for (const name of names) {
    if (!SOURCE_NAME.test(name) || name === 'none') problems.push(`PACKS: "${name}" is no name of a pack, like primac`);
  }
  return names;
}

/** The script would refuse the template of its keys too, but only after the first POST. */
function keyTemplateProblems({ KEY_TEMPLATE, LATEST_TEMPLATE }: Env): string[] {
  try {
    dataKeys(KEY_TEMPLATE, { db: 'db', tables: ['table'], timestamp: '20250102_153045', format: 'csv' });
  } catch (error) {
    return [(error as Error).message];
  }
  const problem = LATEST_TEMPLATE ? latestTemplateProblem(LATEST_TEMPLATE, KEY_TEMPLATE) : null;
  return problem === null ? [] : [problem];
}

/** Read one setting each; a wrong one is a problem. */
export type SettingReaders = ReturnType<typeof readers>;

function readers(env: Env, problems: string[]) {
  const text = (name: string, fallback: string): string => env[name] || fallback;
  const matching = (name: string, fallback: string, pattern: RegExp, expected: string): string => {
    const value = text(name, fallback);
    if (!pattern.test(value)) problems.push(`${name}=${value} must be ${expected}`);
    return value;
  };
  const choice = <T extends string>(name: string, fallback: T, options: readonly T[]): T => {
    const value = text(name, fallback);
    const found = options.find((option) => option === value);
    if (found === undefined) problems.push(`${name}=${value} must be one of ${options.join(', ')}`);
    return found ?? fallback;
  };
  const bounded = (name: string, fallback: number, min: number, max: number, pattern: RegExp, kind: string): number => {
    const value = env[name];
    if (!value) return fallback;
    const parsed = Number(value);
    if (pattern.test(value) && parsed >= min && parsed <= max) return parsed;
    problems.push(`${name}=${value} must be ${kind} from ${min} to ${max}`);
    return fallback;
  };
  const int = (name: string, fallback: number, min: number, max: number) =>
    bounded(name, fallback, min, max, /^\d+$/, 'a whole number');
  const number = (name: string, fallback: number, min: number, max: number) =>
    bounded(name, fallback, min, max, /^\d+(\.\d+)?$/, 'a number');
  return { text, matching, choice, int, number };
}
