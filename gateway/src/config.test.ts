import { ConfigError, parseConfig } from './config';

const BUCKET = { AWS_BUCKET_NAME: 'bucket' };

const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    parseConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

describe('parseConfig', () => {
  it('needs nothing but a lake', () => {
    expect(parseConfig(BUCKET)).toEqual({
      environment: 'local',
      host: '127.0.0.1',
      port: 8000,
      keepAliveSeconds: 65,
      logLevel: 'info',
      apiKeys: [],
      jwt: null,
      openRoutes: [],
      rateLimit: 0,
      rateLimitAddress: 0,
      authFailures: 30,
      trustProxy: 0,
      title: 'Ingesta',
      dataSource: 'Ingesta lake',
      runner: 'auto',
      ecs: null,
      connections: new Map(),
      imagePrefix: 'ingesta-',
      imageTag: 'latest',
      dockerNetwork: null,
      scriptsDir: null,
      datasetsDir: 'datasets',
      scriptMemoryMiB: 256,
      scriptCpus: 1,
      scriptCredentials: 'handed',
      scriptAwsDir: null,
      scriptRole: null,
      secretsPrefix: null,
      runTimeoutSeconds: 3600,
      runAttempts: 3,
      maxConcurrentRuns: 4,
      maxQueuedRuns: 16,
      leaseTtlSeconds: 30,
      verify: 'head',
      latestTemplate: null,
      sweepGraceSeconds: 3600,
      keepSnapshots: null,
      packs: null,
      packsDir: null,
      queryTimeoutSeconds: 60,
      maxConcurrentQueries: 4,
      resultCacheBytes: 8 * 1024 * 1024,
      analyticsCacheDir: null,
      analyticsCacheMiB: 2048,
      duckdbMemoryMiB: 512,
      duckdbThreads: 2,
      queryEngine: 'duckdb',
      glueCatalog: false,
      glueDatabase: 'primac_analytics_db',
      trino: null,
      athena: null,
      lakeHostPath: null,
      env: BUCKET,
    });
  });

  it('takes an empty value for none, as FOO= in an env file means', () => {
    expect(parseConfig({ ...BUCKET, PORT: '', IMAGE_PREFIX: '', DOCKER_NETWORK: '' })).toMatchObject({
      port: 8000,
      imagePrefix: 'ingesta-',
      dockerNetwork: null,
    });
  });

  it.each([
    [undefined, null],
    ['', null],
    ['none', []],
    ['ventas', ['ventas']],
    [' primac, ventas ,', ['primac', 'ventas']],
  ])('reads PACKS=%s', (PACKS, packs) => expect(parseConfig({ ...BUCKET, PACKS }).packs).toEqual(packs));

  it('is frozen', () => expect(Object.isFrozen(parseConfig(BUCKET))).toBe(true));

  it.each([
    ['PORT', '80a'],
    ['PACKS', 'primac,none'],
    ['PACKS', '../etc'],
    ['QUERY_TIMEOUT', '0'],
    ['MAX_CONCURRENT_QUERIES', '65'],
    ['RESULT_CACHE_MB', '-1'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '8e3'],
    ['PORT', ' 8000'],
    ['KEEP_ALIVE_TIMEOUT', '0'],
    ['LOG_LEVEL', 'INFO'],
    ['RUNNER', 'podman'],
    ['IMAGE_PREFIX', 'Ingesta-'],
    ['IMAGE_PREFIX', 'x y'],
    ['IMAGE_TAG', '-latest'],
    ['SCRIPT_MEMORY_MB', '63'],
    ['SCRIPT_MEMORY_MB', '256m'],
    ['SCRIPT_CPUS', '0'],
    ['SCRIPT_CPUS', '1,5'],
    ['RUN_TIMEOUT', '0'],
    ['RUN_TIMEOUT', '1h'],
    ['RUN_TIMEOUT', '604801'],
    ['KEY_TEMPLATE', '{db}/{table}.csv'],
    ['KEY_TEMPLATE', '{db}/{timestamp}.csv'],
    ['KEY_TEMPLATE', '_ingesta/{table}_{timestamp}.csv'],
    ['LATEST_TEMPLATE', '{db}/{table}_20250102_153045.csv'],
    ['LATEST_TEMPLATE', '_ingesta/{db}/{table}.csv'],
    ['LATEST_TEMPLATE', '{table}.csv'],
    ['AWS_ENDPOINT_URL_S3', 'minio:9000'],
  ])('refuses %s=%s and names it', (name, value) => {
    expect(problemsOf({ ...BUCKET, [name]: value })).toEqual([expect.stringContaining(name)]);
  });

  it('lists every problem at once', () => {
    const problems = problemsOf({ PORT: 'x', LOG_LEVEL: 'loud', RUN_TIMEOUT: '-5', KEY_TEMPLATE: '{table}.csv' });
    expect(problems).toHaveLength(5);
    expect(problems.join('\n')).toMatch(
      /AWS_BUCKET_NAME[\s\S]*PORT[\s\S]*LOG_LEVEL[\s\S]*RUN_TIMEOUT[\s\S]*KEY_TEMPLATE/,
    );
    expect(new ConfigError(problems).message).toContain('5 problem(s)');
  });
});
