import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError } from '../errors';
import type { LaunchableSource } from '../runners/runner';
import { givenConfig, givenSource, givenSupplies } from '../testing/given';
import { type CredentialEnv, compileJob, type IngestRequest, type LakeFolder } from './job';

const golden = (name: string) => JSON.parse(readFileSync(join(__dirname, '../testdata', name), 'utf8'));

const RUN = {
  runId: '01890a5d-ac96-774b-bcce-b302099a8057',
  attempt: 1,
  nonce: '6a1c5d5e-4a43-4c8a-9f0e-0d5c7a1f2b3c',
  timestamp: '20250102_153045',
  deadline: new Date('2025-01-02T16:30:45.000Z'),
  gateway: 'gateway-1',
  epoch: 7,
};
const ALL: IngestRequest = { tables: null, format: 'csv', dryRun: false };
const KEYS: CredentialEnv = {
  AWS_ACCESS_KEY_ID: 'AKIA',
  AWS_SECRET_ACCESS_KEY: 'canary-aws',
  AWS_SESSION_TOKEN: 'canary-token',
};

interface Given {
  env?: Record<string, string>;
  source?: LaunchableSource;
  request?: IngestRequest;
  keys?: CredentialEnv;
  folder?: LakeFolder;
}
const compile = ({ env = {}, source = givenSource(), request = ALL, keys = KEYS, folder }: Given = {}) =>
  compileJob(givenConfig(env), source, request, RUN, givenSupplies({ credentials: keys, folder: folder ?? null }));

const ECS = { RUNNER: 'ecs', ECS_SUBNETS: 'subnet-1a,subnet-1b', ECS_SECURITY_GROUPS: 'sg-1' };
const onEcs = (change: Partial<LaunchableSource>): LaunchableSource => ({
  ...givenSource({ runner: 'ecs', digest: null, provides: ['MYSQL_PASSWORD'], ...change }),
  reference: 'arn:aws:ecs:eu-west-1:111122223333:task-definition/ingesta-mysql:7',
});

/** One per decision: everything by default; everything set; a folder lake. */
const CASES: Record<string, Given> = {
  's3-defaults': {},
  's3-everything-set': {
    env: {
      MYSQL_PASSWORD: 'canary-mysql',
      MYSQL_TABLES: 'users,!audit*',
      SENSITIVE_COLUMNS: 'dni',
      SENSITIVE_COLUMNS_ALLOW: 'token_count',
      KEY_TEMPLATE: 'raw/{db}/{table}/{timestamp}.csv',
      LAKE_PREFIX: 'team-a',
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL_S3: 'http://minio:9000',
      DOCKER_NETWORK: 'data',
      SCRIPT_MEMORY_MB: '512',
      SCRIPT_CPUS: '0.5',
      POSTGRES_PASSWORD: 'canary-of-another-source',
    },
    request: { tables: ['users', 'orders'], format: 'csv.gz', dryRun: false },
  },
  'folder-lake': {
    env: { AWS_BUCKET_NAME: '', LAKE_URL: 'file:///data/lake', LAKE_HOST_PATH: '/srv/lake' },
    keys: {},
    folder: { path: '/data/lake', owner: '1000:1000' },
  },
  'ecs/defaults': { source: onEcs({}), keys: {}, env: ECS },
  'ecs/everything-set': {
    source: onEcs({ name: 'ventas', envPrefix: 'VENTAS_', provides: ['MYSQL_PASSWORD', 'MYSQL_USER'] }),
    keys: {},
    env: {
      ...ECS,
      VENTAS_MYSQL_HOST: 'ventas.example',
      VENTAS_MYSQL_TABLES: 'users',
      LAKE_PREFIX: 'team-a',
      AWS_REGION: 'eu-west-1',
    },
    request: { tables: ['users', 'orders'], format: 'csv.gz', dryRun: false },
  },
  'own-credentials': {
    env: { SCRIPT_CREDENTIALS: 'own', SCRIPT_AWS_DIR: '/home/ingesta/.aws', AWS_PROFILE: 'lake' },
    keys: {},
  },
  'dry-run': { keys: {}, request: { tables: null, format: 'csv', dryRun: true } },
};

describe.each(Object.entries(CASES))('compileJob, %s', (name, given) => {
  it('gives the golden JobSpec', () => expect(compile(given)).toEqual(golden(`${name}.job-spec.json`)));

  it('hands a script nothing of another source', () => {
    expect(JSON.stringify(compile(given).job)).not.toContain('canary-of-another-source');
  });
});

describe('compileJob, with a secret store', () => {
  const { job } = compileJob(
    givenConfig({ MYSQL_HOST: '', MYSQL_PASSWORD: 'stale' }),
    givenSource(),
    ALL,
    RUN,
    givenSupplies({ secrets: { MYSQL_HOST: 'rds.example', MYSQL_PASSWORD: 'rotated' } }),
  );

  it('takes what stands there before what the environment says', () => {
    expect(job.env).toMatchObject({ MYSQL_HOST: 'rds.example', MYSQL_USER: 'reader', MYSQL_PASSWORD: 'rotated' });
  });
});

describe('compileJob, on ECS', () => {
  const compiled = (env: Record<string, string>, provides: string[]) =>
    compile({ source: onEcs({ provides }), keys: {}, env: { ...ECS, ...env } });

  it('refuses to put a secret into the lake, and says where it belongs', () => {
    const refused = () => compiled({ MYSQL_PASSWORD: 'canary-mysql' }, []);
    expect(refused).toThrow(/MYSQL_PASSWORD is a secret.*"secrets" in arn:.*ingesta-mysql:7/);
    expect(refused).not.toThrow(/canary/);
  });

  it('hands over nothing that the task brings, and asks for nothing of it', () => {
    const { job } = compiled({ MYSQL_HOST: '', MYSQL_PASSWORD: 'canary-mysql' }, ['MYSQL_PASSWORD_FILE', 'MYSQL_HOST']);
    expect(Object.keys(job.env)).not.toContain('MYSQL_HOST');
    expect(JSON.stringify(job)).not.toContain('canary');
  });

  it('refuses a host that means the task itself', () => {
    expect(() => compiled({ MYSQL_HOST: 'localhost', DOCKER_NETWORK: 'host' }, [])).toThrow(/inside the VPC/);
  });
});

describe('compileJob', () => {
  const problemOf = (given: Given): ApiError | null => {
    try {
      compile(given);
      return null;
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  };
  const asProcess = givenSource({ runner: 'process' });

  it('names every variable that is missing', () => {
    const error = problemOf({ env: { MYSQL_HOST: '', MYSQL_USER: '', MYSQL_PASSWORD_FILE: '/absent/file' } });
    expect(error).toMatchObject({ code: 'SOURCE_CONFIG', database: 'mysql' });
    expect(error?.message).toMatch(/(?=.*MYSQL_HOST)(?=.*MYSQL_USER)(?=.*MYSQL_PASSWORD_FILE)/);
  });

  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '::1', '[::1]'])(
    'refuses the database host %s for a container, and only for a container',
    (host) => {
      expect(problemOf({ env: { MYSQL_HOST: host } })?.message).toMatch(/MYSQL_HOST.*host\.docker\.internal/);
      expect(problemOf({ env: { MYSQL_HOST: host }, source: asProcess })).toBeNull();
      expect(problemOf({ env: { MYSQL_HOST: host, DOCKER_NETWORK: 'host' } })).toBeNull();
    },
  );

  it.each(['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'])(
    'refuses a loopback %s for a container, and only for a container',
    (name) => {
      for (const url of ['http://localhost:9000', 'https://127.0.0.1', 'http://[::1]:9000/']) {
        expect(problemOf({ env: { [name]: url } })?.message).toContain(name);
        expect(problemOf({ env: { [name]: url }, source: asProcess })).toBeNull();
        expect(problemOf({ env: { [name]: url, DOCKER_NETWORK: 'host' } })).toBeNull();
      }
    },
  );

  it('takes hosts that only look like loopback', () => {
    for (const host of ['localhost.example', '10.127.0.1', 'db-127.0.0.1']) {
      expect(problemOf({ env: { MYSQL_HOST: host } })).toBeNull();
    }
  });

  it('takes the remote names in production, of a named connection too', () => {
    const remote = { ENVIRONMENT: 'production', API_KEYS: `a:${'ab'.repeat(32)}:*` };
    const env = { ...remote, MYSQL_HOST_REMOTE: 'db.internal', VENTAS_MYSQL_USER_REMOTE: 'v' };
    expect(compile({ env }).job.env).toMatchObject({ MYSQL_HOST: 'db.internal', MYSQL_USER: 'reader' });
    const source = givenSource({ name: 'ventas', envPrefix: 'VENTAS_' });
    const { job } = compile({ env: { ...env, VENTAS_MYSQL_HOST: 'v', VENTAS_MYSQL_USER: 'dev' }, source });
    expect(job.env).toMatchObject({ MYSQL_HOST: 'v', MYSQL_USER: 'v' });
    expect(Object.keys(job.env).filter((name) => name.endsWith('_REMOTE'))).toEqual([]);
  });

  it('reads secrets from files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ingesta-job-'));
    try {
      await writeFile(join(folder, 'password'), 'from-file\n');
      const { job } = compile({ env: { MYSQL_PASSWORD_FILE: join(folder, 'password') } });
      expect(job.env.MYSQL_PASSWORD).toBe('from-file');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
