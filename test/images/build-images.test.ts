import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { findProgram } from '../services/command';
import { docker } from '../services/images';
import { describeWith, dockerEnv } from '../services/need';

const ROOT = join(__dirname, '../..');
const BUILD_MS = 600_000;
const PREFIX = `ingesta-test-${process.pid}-`;

/** What build-images.sh itself runs: a PATH of these alone is a machine without Node. */
const TOOLS = ['bash', 'docker', 'basename', 'cat', 'cp', 'dirname', 'env', 'grep', 'mktemp', 'rm', 'tar'];

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const folders: string[] = [];

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ingesta-images-'));
  folders.push(folder);
  return folder;
}

/** A copy of this repository as a clone has it: nothing built, nothing installed. */
function freshClone(): string {
  const clone = temporaryFolder();
  const made = new Set(['node_modules', 'dist', 'generated', 'coverage']);
  const parts = ['.dockerignore', 'build', 'build-images.sh', 'build.mjs', 'install.mjs', 'package.json'];
  for (const part of [
    ...parts,
    'package-lock.json',
    'tsconfig.json',
    'analytics',
    'gateway',
    'scripts',
    'demo',
    'test/services',
  ]) {
    cpSync(join(ROOT, part), join(clone, part), { recursive: true, filter: (path) => !made.has(basename(path)) });
  }
  return clone;
}

/** Where people keep secrets in a working copy, or forget them. */
const SECRET_FILES = [
  '.env',
  '.env.production',
  '.npmrc',
  '.aws/credentials',
  'tls.key',
  'client.pem',
  'password.secret',
];

/** Puts one secret into all of these, beside the Dockerfiles too. */
function withSecrets(clone: string, secret: string): string {
  for (const folder of ['.', 'gateway', 'scripts/postgresql']) {
    for (const file of SECRET_FILES) {
      mkdirSync(join(clone, folder, file, '..'), { recursive: true });
      writeFileSync(join(clone, folder, file), `PASSWORD=${secret}\n`);
    }
  }
  return clone;
}

/** How often a text stands in these images: in any file of any layer, and in what is told of how they were made. */
async function countInLayers(text: string, images: readonly string[]): Promise<number> {
  const child = spawn('docker', ['save', ...images], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let [found, rest] = [0, ''];
  for await (const chunk of child.stdout.setEncoding('latin1')) {
    const seen = rest + chunk;
    found += seen.split(text).length - 1;
    rest = seen.slice(seen.length - text.length + 1);
  }
  const [code] = await closed;
  if (code !== 0) throw new Error(`docker save ended with ${code}`);
  return found;
}

/** A repository of one source, which is a shell script. */
function cloneWithForeignSource(name: string): string {
  const clone = temporaryFolder();
  const folder = join(clone, 'scripts', name);
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, 'build-images.sh'), join(clone, 'build-images.sh'));
  writeFileSync(join(folder, 'source.json'), '{"title":"Tally"}');
  writeFileSync(
    join(folder, 'Dockerfile'),
    [
      `FROM ${dockerEnv().nodeImage}`,
      'COPY source.json /source.json',
      'ENTRYPOINT ["sh", "-c", "cat /source.json"]',
      '',
    ].join('\n'),
  );
  return clone;
}

function pathWithoutNode(): string {
  const folder = temporaryFolder();
  for (const tool of TOOLS) symlinkSync(findProgram(tool) ?? tool, join(folder, tool));
  return folder;
}

function buildImages(clone: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Ended {
  const options = {
    encoding: 'utf8',
    timeout: BUILD_MS,
    maxBuffer: 64 << 20,
    env: { ...process.env, ...env },
  } as const;
  return spawnSync('bash', [join(clone, 'build-images.sh'), ...args], options);
}

/** Arguments that let npm inside a container reach the registry as npm on this machine does. */
function reachingRegistry(): string[] {
  const authority = process.env.NODE_EXTRA_CA_CERTS;
  return ['--network', 'host', ...(authority ? ['--ca-bundle', authority] : [])];
}

function builtOrThrow(ended: Ended): string {
  if (ended.status !== 0) throw new Error(`build-images.sh ended with ${ended.status}: ${ended.stderr.slice(-4000)}`);
  return ended.stdout;
}

const inspect = (image: string, format: string): Promise<string> =>
  docker(['image', 'inspect', '--format', format, image]).then((text) => text.trim());

describeWith(['docker'], 'build-images.sh', () => {
  const common = (): string[] => ['--prefix', PREFIX, '--tag', 'test', '--node-image', dockerEnv().nodeImage];

  afterAll(async () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    const images = (await docker(['images', '--format', '{{.Repository}}:{{.Tag}}', `${PREFIX}*`]))
      .split('\n')
      .filter(Boolean);
    if (images.length > 0) await docker(['image', 'rm', '--force', ...images]);
  });

  test('explains itself', () => {
    const { status, stdout } = buildImages(ROOT, ['--help']);
    expect(status).toBe(0);
    for (const option of ['--prefix', '--tag', '--ca-bundle', '--node-image', '--network'])
      expect(stdout).toContain(option);
  });

  test('names the known sources when asked for an unknown one', () => {
    const { status, stderr } = buildImages(ROOT, ['oracle']);
    expect(status).toBe(64);
    expect(stderr).toMatch(/unknown source 'oracle'.*gateway.*mysql.*postgresql/);
  });

  test.each(['../etc', 'runs', 'health', 'My', '$(id)', 'a b', '-x'])('refuses %j as a name', (name) => {
    const { status, stderr } = buildImages(ROOT, [name]);
    expect(status).toBe(64);
    expect(stderr).toMatch(/no source name|unknown option/);
  });

  test('refuses a folder whose name cannot be a source', () => {
    const { status, stderr } = buildImages(cloneWithForeignSource('Bad_Name'), []);
    expect(status).toBe(1);
    expect(stderr).toContain('scripts/Bad_Name cannot be a source');
  });

  test('says that the daemon does not answer', () => {
    const { status, stderr } = buildImages(ROOT, ['mysql'], { DOCKER_HOST: 'tcp://127.0.0.1:1', DOCKER_CONTEXT: '' });
    expect(status).toBe(1);
    expect(stderr).toContain('the Docker daemon does not answer');
  });

  test('installs the packages anew where they are others than the lock file names', () => {
    const clone = freshClone();
    mkdirSync(join(clone, 'node_modules'));
    writeFileSync(join(clone, 'node_modules/.package-lock.json'), JSON.stringify({ packages: {} }));
    const folder = temporaryFolder();
    // It is enough to see that it is asked.
    writeFileSync(join(folder, 'npm'), '#!/bin/sh\necho "npm was asked: $1"\nexit 1\n', { mode: 0o755 });
    const { status, stderr } = buildImages(clone, ['mysql'], {
      PATH: `${folder}:${process.env.PATH}`,
      npm_execpath: '',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('npm was asked: install');
    expect(stderr).toContain('npm could not install the packages');
  });

  test(
    'builds a new folder in another language with no edit and no Node',
    async () => {
      const clone = cloneWithForeignSource('tally');
      const stdout = builtOrThrow(buildImages(clone, common(), { PATH: pathWithoutNode() }));
      expect(stdout).toMatch(new RegExp(`^${PREFIX}tally:test +\\d+ MB$`, 'm'));
      expect(await docker(['run', '--rm', `${PREFIX}tally:test`, '--describe'])).toContain('Tally');
      expect(await inspect(`${PREFIX}tally:test`, '{{index .Config.Labels "ingesta.source"}}')).toBe('tally');
    },
    BUILD_MS,
  );

  describe('an image with bundles of this machine', () => {
    const image = `${PREFIX}mysql:test`;

    beforeAll(() => {
      const clone = freshClone();
      symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
      const sizes = builtOrThrow(buildImages(clone, [...common(), 'mysql']));
      expect(sizes).toMatch(/mysql:test +\d+ MB/);
      process.stderr.write(sizes);
    }, BUILD_MS);

    test('describes itself as its source.json does', async () => {
      const { MYSQL_HOST } = Object.fromEntries(
        JSON.parse(await docker(['run', '--rm', image, '--describe'])).env.map((one: { name: string }) => [
          one.name,
          one,
        ]),
      );
      expect(MYSQL_HOST).toMatchObject({ host: true });
    });

    test('has no shell', async () => {
      await expect(docker(['run', '--rm', '--entrypoint', '/bin/sh', image, '-c', 'true'])).rejects.toThrow(
        /no such file/,
      );
    });

    test('runs as uid 1000, in 128 MiB, with nothing writable', async () => {
      const limits = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--memory=128m'];
      const report = 'console.log(process.getuid(), process.getgid(), os.homedir())';
      const run = [
        'run',
        '--rm',
        ...limits,
        '--network=none',
        '--entrypoint',
        '/usr/local/bin/node',
        image,
        '-e',
        report,
      ];
      expect((await docker(run)).trim()).toBe('1000 1000 /home/node');
    });

    test('holds no file but the program and what Node needs', async () => {
      const report =
        'console.log(JSON.stringify([fs.readdirSync("/app", { recursive: true }).sort(), fs.readdirSync("/usr/local/bin")]))';
      const run = ['run', '--rm', '--entrypoint', '/usr/local/bin/node', image, '-e', report];
      expect(JSON.parse(await docker(run))).toEqual([['dist', 'dist/main.js', 'source.json'], ['node']]);
    });

    test('carries its labels and no secret', async () => {
      const labels = JSON.parse(await inspect(image, '{{json .Config.Labels}}'));
      expect(labels).toMatchObject({ 'ingesta.source': 'mysql', 'org.opencontainers.image.licenses': 'Apache-2.0' });
      const names = JSON.parse(await inspect(image, '{{json .Config.Env}}')).map((pair: string) => pair.split('=')[0]);
      const harmless = ['INGESTA_IMAGE', 'INGESTA_SOURCE', 'NODE_ENV', 'NODE_OPTIONS', 'PATH'];
      expect(names.sort()).toEqual(harmless);
    });
  });

  describe('where there is no Node', () => {
    const secret = `canary-${randomUUID()}`;
    beforeAll(() => {
      const args = [...common(), ...reachingRegistry(), 'gateway', 'postgresql'];
      const clone = withSecrets(freshClone(), secret);
      process.stderr.write(builtOrThrow(buildImages(clone, args, { PATH: pathWithoutNode() })));
    }, BUILD_MS);

    test(
      'no secret that lay about in the working copy is in a layer of any image',
      async () => {
        const images = [`${PREFIX}gateway:test`, `${PREFIX}postgresql:test`, 'ingesta-build-bundles'];
        expect(await countInLayers(secret, images)).toBe(0);
        // It looks where there is something to see.
        expect(await countInLayers('"name": "@ingesta/gateway"', images)).toBeGreaterThan(0);
      },
      BUILD_MS,
    );

    test('the bundles are made in a container', async () => {
      expect(await docker(['run', '--rm', `${PREFIX}postgresql:test`, '--describe'])).toContain('POSTGRES_');
    });

    test('the gateway image has the assets of its pages and the healthcheck', async () => {
      const image = `${PREFIX}gateway:test`;
      const report = 'console.log(fs.readdirSync("/app/dist").sort().join())';
      const run = ['run', '--rm', '--entrypoint', '/usr/local/bin/node', image, '-e', report];
      expect((await docker(run)).trim()).toBe(
        'analytics,checked-packs.json,duckdb-worker.js,main.js,node_modules,redoc,sources,swagger-ui,verifier.js',
      );
      expect(await inspect(image, '{{json .Config.Healthcheck.Test}}')).toContain('--healthcheck');
    });

    test('the gateway image loads DuckDB in its worker, with nothing writable', async () => {
      const limits = ['--read-only', '--cap-drop=ALL', '--network=none'];
      const check = ['/app/dist/duckdb-worker.js', '--check'];
      const image = `${PREFIX}gateway:test`;
      expect(await docker(['run', '--rm', ...limits, '--entrypoint', '/usr/local/bin/node', image, ...check])).toBe('');
    });

    test('the gateway writes into its cache, and nowhere else, where the root is read-only', async () => {
      const report = `const writable = (path) => { try { fs.accessSync(path, fs.constants.W_OK); return true; } catch { return false; } };
        console.log([process.env.ANALYTICS_CACHE_DIR, '/tmp', os.homedir()].map(writable).join())`;
      const run = ['run', '--rm', '--read-only', '--cap-drop=ALL', '--entrypoint', '/usr/local/bin/node'];
      expect((await docker([...run, `${PREFIX}gateway:test`, '-e', report])).trim()).toBe('true,false,false');
    });

    test('the certificates that npm needed are in no image', async () => {
      const report = 'console.log(fs.existsSync("/etc/ingesta-ca.pem"), process.env.NODE_EXTRA_CA_CERTS)';
      const run = ['run', '--rm', '--entrypoint', '/usr/local/bin/node', `${PREFIX}postgresql:test`, '-e', report];
      expect((await docker(run)).trim()).toBe('false undefined');
    });
  });
});
