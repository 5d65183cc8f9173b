import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { openLake, type SourceDescription, sourceDescriptionSchema } from '@ingesta/kit';
import { type Env, parseConfig } from '../../gateway/src/config';
import { compileJob } from '../../gateway/src/ingest/job';
import { givenSupplies } from '../../gateway/src/testing/given';

const ROOT = join(__dirname, '../..');
const TEXT = readFileSync(join(ROOT, '.env.example'), 'utf8');
const EXAMPLE = parseEnv(TEXT) as Record<string, string>;
/** In the order of the file, which `parseEnv` does not keep. */
const NAMES = [...TEXT.matchAll(/^([A-Z0-9_]+)=/gm)].map(([, name]) => name!);

/** Read by the AWS SDK itself. */
const AWS_SDK = ['AWS_PROFILE'];

const RUN = {
  runId: 'r',
  attempt: 1,
  nonce: 'n',
  timestamp: '20250102_153045',
  deadline: new Date(),
  gateway: 'g',
  epoch: 1,
};
const REQUEST = { tables: null, format: 'csv', dryRun: false } as const;

const descriptions = (): { name: string; description: SourceDescription }[] =>
  readdirSync(join(ROOT, 'scripts'))
    .filter((name) => readdirSync(join(ROOT, 'scripts', name)).includes('source.json'))
    .map((name) => {
      const text = readFileSync(join(ROOT, 'scripts', name, 'source.json'), 'utf8');
      return { name, description: sourceDescriptionSchema.parse(JSON.parse(text)) };
    });

/** As a runner would find it, under no prefix of a connection's own. */
const launchable = (name: string, description: SourceDescription) =>
  ({ name, runner: 'process', reference: '', digest: null, description, envPrefix: '' }) as const;

/** An environment that notes the names which are looked up in it, in the order of the first look. */
function recording(values: Record<string, string>): { env: Env; read: Set<string> } {
  const read = new Set<string>();
  const env = new Proxy(values, {
    get(target, name) {
      if (typeof name === 'string') read.add(name);
      return Reflect.get(target, name);
    },
  });
  return { env, read };
}

const BUCKET = { AWS_BUCKET_NAME: 'bucket', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
const FOLDER = { LAKE_URL: 'file:///lake' };

/** The names that the gateway's configuration reads, and after it those of the lake and of each source's job. */
async function knownSettings(): Promise<string[]> {
  const all = new Set(AWS_SDK);
  for (const lake of [BUCKET, FOLDER]) {
    const { env, read } = recording(lake);
    const config = parseConfig(env);
    await (await openLake(env)).close?.();
    for (const { name, description } of descriptions()) {
      // Required variables are what this recording has not got.
      const optional = { ...description, env: description.env.map((variable) => ({ ...variable, required: false })) };
      const source = launchable(name, optional);
      compileJob(config, source, REQUEST, RUN, givenSupplies());
    }
    for (const name of read) all.add(name);
  }
  for (const name of composeSettings()) all.add(name);
  // Said once for all of a source's variables.
  return [...all].filter((name) => !(name.endsWith('_FILE') && all.has(name.replace(/_FILE$/, ''))));
}

/** But the project's name, which Compose itself puts there. */
const composeSettings = (file = 'docker-compose.yml'): string[] =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(/\$\{(?!COMPOSE_PROJECT_NAME)([A-Z][A-Z0-9_]*)/g)].map(
    ([, name]) => name!,
  );

it('documents every setting', async () => {
  const missing = (await knownSettings()).filter((name) => !Object.hasOwn(EXAMPLE, name));
  expect(missing).toEqual([]);
});

it('has each setting once, where every reader of such files finds it', () => {
  expect([...NAMES].sort()).toEqual(Object.keys(EXAMPLE).sort());
});

it('has no setting that nothing reads', async () => {
  const known = await knownSettings();
  expect(Object.keys(EXAMPLE).filter((name) => !known.includes(name))).toEqual([]);
});

it('lists the settings of the gateway in the order of config.ts', () => {
  const { env, read } = recording(FOLDER);
  parseConfig(env);
  const documented = NAMES.slice(0, NAMES.indexOf('AWS_BUCKET_NAME'));
  expect(documented).toEqual([...read].filter((name) => !/^(LAKE_URL|LAKE_PREFIX|KEY_TEMPLATE|.*_FILE)$/.test(name)));
});

it('lists the variables of each source in the order of its source.json', () => {
  for (const { description } of descriptions()) {
    // Settings of the lake stand where all look for them.
    const own = description.env.filter(({ name }) => name.startsWith(description.env_prefix));
    const names = own.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(NAMES.filter((name) => names.includes(name))).toEqual(names);
  }
});

it('sets nothing: whoever copies it has the defaults, and one problem', () => {
  expect(Object.values(EXAMPLE).filter((value) => value !== '')).toEqual([]);
  expect(() => parseConfig(EXAMPLE)).toThrow(/ 1 problem\(s\):\n {2}- AWS_BUCKET_NAME /);
  const { env: _, ...untouched } = parseConfig({ ...BUCKET });
  const { env: __, ...copied } = parseConfig({ ...EXAMPLE, ...BUCKET });
  expect(copied).toEqual(untouched);
});

it('runs with the eight lines that it marks', () => {
  const marked = [...TEXT.matchAll(/^# >>.*\n(?:#.*\n)*([A-Z0-9_]+)=/gm)].map(([, name]) => name!);
  expect(marked).toHaveLength(8);
  const filled = { ...EXAMPLE, ...Object.fromEntries(marked.map((name) => [name, 'filled-in'])) };
  const { name, description } = descriptions().find((source) => source.name === 'postgresql')!;
  const { job } = compileJob(parseConfig(filled), launchable(name, description), REQUEST, RUN, givenSupplies());
  expect(job.env).toMatchObject({ POSTGRES_HOST: 'filled-in', POSTGRES_PORT: '5432', AWS_BUCKET_NAME: 'filled-in' });
  expect(Object.values(job.env)).not.toContain('');
});

it('explains every setting', () => {
  const lines = TEXT.split('\n');
  const bare = lines.filter((line, i) => /^[A-Z0-9_]+=/.test(line) && !lines[i - 1]?.startsWith('# '));
  expect(bare).toEqual([]);
});

describe('.env.production.example', () => {
  const text = readFileSync(join(ROOT, '.env.production.example'), 'utf8');
  const production = parseEnv(text) as Record<string, string>;
  const lines = text.split('\n');
  const names = lines.flatMap((line) => /^([A-Z0-9_]+)=/.exec(line)?.[1] ?? []);
  const sourceVariables = descriptions().flatMap(({ description }) => description.env.map(({ name }) => name));

  it('has no setting that nothing reads, and each once', async () => {
    const remote = sourceVariables.map((name) => `${name}_REMOTE`);
    const known = [...(await knownSettings()), ...composeSettings('docker-compose.production.yml'), ...remote];
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    expect([...names].sort()).toEqual(Object.keys(production).sort());
  });

  it('has every setting of its compose file', () => {
    const asked = composeSettings('docker-compose.production.yml');
    expect(asked.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('has the remote name of each source’s connection', () => {
    const parts = /^(MYSQL|POSTGRES|CASSANDRA|MONGO)_(HOST|PORT|USER|PASSWORD|DATABASE|DB|KEYSPACE)$/;
    const connections = sourceVariables.filter((name) => parts.test(name));
    expect(connections).toHaveLength(20);
    expect(connections.filter((name) => !names.includes(`${name}_REMOTE`))).toEqual([]);
  });

  it('has what the gateway does not start without', () => {
    const without = () => parseConfig({ ...production, ...BUCKET });
    expect(without).toThrow(/ 1 problem\(s\):\n.* set API_KEYS /);
    expect(names).toContain('API_KEYS');
    const entry = `operator:${'0'.repeat(64)}:*`;
    expect(() => parseConfig({ ...production, ...BUCKET, API_KEYS: entry })).not.toThrow();
  });

  it('explains every setting, and means production', () => {
    const bare = lines.filter((line, i) => /^[A-Z0-9_]+=/.test(line) && !lines[i - 1]?.startsWith('# '));
    expect(bare).toEqual([]);
    expect(production.ENVIRONMENT).toBe('production');
  });
});
