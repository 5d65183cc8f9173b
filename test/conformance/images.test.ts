import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildForeignSource, buildImages, containersLabelled, E2E_PREFIX } from '../e2e/harness/images';
import { createBucket } from '../e2e/harness/s3';
import { runCommand } from '../services/command';
import { describeWith, dockerEnv } from '../services/need';
import { conformance, type Line } from './conformance';
import { startBreakerDatabase } from './fixtures/breaker-database';
import { openSubject } from './open-subject';
import { SHIPPED } from './testing/given-sources';

/** Each image is started some twenty times. */
const LIMIT_MS = 400_000;
const PASSWORD = 's3cret/"word"';
const DATASETS_DIR = join(__dirname, 'fixtures/datasets');

const open = (image: string, name?: string) => openSubject({ target: [image], name, network: null, timeoutMs: 90_000 });
const labelled = () => containersLabelled('ingesta.conformance');
const build = (tag: string, folder: string, ...args: string[]) =>
  runCommand('docker', ['build', '-t', tag, ...args, folder], { timeoutMs: LIMIT_MS });

describe.each(SHIPPED)('$source', ({ source, services, give, unchecked }) => {
  describeWith(['docker', 's3', ...services], 'as an image, to a bucket', () => {
    it(
      'keeps the contract, and leaves no container',
      async () => {
        await buildImages(source);
        const [given, bucket] = [await give(), await createBucket()];
        // A run of this suite that was killed may have left some.
        const before = await labelled();
        try {
          const { FILES_PATH, ...settings } = given.settings(true);
          const image = `${E2E_PREFIX}${source}:latest`;
          const subject = await open(FILES_PATH ? await withFiles(image, FILES_PATH) : image);
          const env = {
            ...settings,
            ...(FILES_PATH ? { FILES_PATH: '/delivery' } : {}),
            ...bucket.settings(true),
            DATASETS_DIR,
          };
          const lines = await conformance(subject, env);
          const notOk = lines.filter(({ state }) => state !== 'ok');
          expect({ notOk: notOk.map(({ check }) => check), lines: notOk }).toMatchObject({ notOk: unchecked });
          expect((await labelled()).filter((id) => !before.includes(id))).toEqual([]);
        } finally {
          await given.drop();
        }
      },
      LIMIT_MS,
    );
  });
});

/** The image with a delivery in it: a container sees nothing of this machine. */
async function withFiles(image: string, folder: string): Promise<string> {
  const context = await mkdtemp(join(tmpdir(), 'ingesta-with-files-'));
  await cp(folder, join(context, 'delivery'), { recursive: true });
  await writeFile(join(context, 'Dockerfile'), `FROM ${image}\nCOPY delivery /delivery\n`);
  await build(`${E2E_PREFIX}with-files:latest`, context);
  await rm(context, { recursive: true, force: true });
  return `${E2E_PREFIX}with-files:latest`;
}

describeWith(['docker'], 'an image, to a folder', () => {
  it(
    'is checked like any other where it is a shell script',
    async () => {
      const foreign = await buildForeignSource('notas');
      const lines = await conformance(await open(`${E2E_PREFIX}notas:latest`), { NOTAS_AUTHOR: 'Ana' });
      await foreign.remove();
      expect(lines.filter(({ state }) => state === 'failed')).toEqual([]);
      expect(lines.filter(({ state }) => state === 'ok').length).toBeGreaterThanOrEqual(18);
    },
    LIMIT_MS,
  );

  async function breaker(tag: string, ...args: string[]): Promise<Line[]> {
    const image = `${E2E_PREFIX}breaker:${tag}`;
    await build(
      image,
      join(__dirname, 'fixtures/breaker'),
      '--build-arg',
      `NODE_IMAGE=${dockerEnv().nodeImage}`,
      ...args,
    );
    const database = await startBreakerDatabase(dockerEnv().listenAddress, PASSWORD);
    const settings = {
      BREAKER_HOST: 'host.docker.internal',
      BREAKER_PORT: String(database.port),
      BREAKER_PASSWORD: PASSWORD,
      DATASETS_DIR,
    };
    try {
      return await conformance(await open(image, 'breaker'), settings);
    } finally {
      database.stop();
    }
  }
  const notOk = (lines: readonly Line[]) =>
    lines.filter(({ state }) => state !== 'ok').map(({ check, state, seen }) => [check, state, seen]);

  it(
    'passes where it obeys',
    async () => {
      const lines = await breaker('good', '--label', 'ingesta.source=breaker');
      expect(notOk(lines)).toEqual([['attempt', 'not checked', expect.any(String)]]);
    },
    LIMIT_MS,
  );

  it(
    'fails where a password was built in, or the label was left out',
    async () => {
      const lines = await breaker('bad', '--build-arg', `BAKED=${PASSWORD}`);
      expect(notOk(lines)).toEqual([
        ['attempt', 'not checked', expect.any(String)],
        ['label', 'failed', expect.stringContaining('ingesta.source')],
        ['inspect', 'failed', expect.any(String)],
      ]);
    },
    LIMIT_MS,
  );

  it('is no mystery where there is none', async () => {
    await expect(open('ingesta-absent:nowhere')).rejects.toThrow('as an image it cannot be had');
  });
});
