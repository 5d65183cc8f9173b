import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstThatStarts } from './attempts';
import type { Engine } from './engine';
import { hostFromContainer } from './given';
import { type GoProgram, installedGo, installGo } from './go-program';
import { freePort, startServer } from './server-process';
import { HOST_FROM_CONTAINER, type ServiceHandle } from './service';

/** How to have an S3 server next time. */
export const BRING_S3 =
  'have Go and set INGESTA_TEST_INSTALL=1 (builds versitygw once, 2-4 minutes), or INGESTA_TEST_S3_ENDPOINT, _ACCESS_KEY and _SECRET_KEY';

/** Versity's gateway: right about conditional writes under stress, which several others are not. */
const VERSITYGW: GoProgram = {
  folder: 's3',
  program: 'versitygw',
  module: 'github.com/versity/versitygw@v1.8.0',
  package: './cmd/versitygw',
};

/** The program of this machine, or the one that a run before built. */
export const installedVersitygw = (): string | undefined => installedGo(VERSITYGW);

/** An S3 server, from the first place that has it. */
export function startS3(engine?: Engine): Promise<ServiceHandle> {
  return firstThatStarts('s3', [
    { from: 'given', start: async () => given() },
    { from: 'installed', start: () => startFrom(installedVersitygw(), engine) },
    { from: 'install', start: async () => startFrom(await installGo(VERSITYGW), engine) },
  ]);
}

function given(): ServiceHandle | undefined {
  const { INGESTA_TEST_S3_ENDPOINT: endpoint, INGESTA_TEST_S3_ACCESS_KEY, INGESTA_TEST_S3_SECRET_KEY } = process.env;
  if (!endpoint || !INGESTA_TEST_S3_ACCESS_KEY || !INGESTA_TEST_S3_SECRET_KEY) return undefined;
  const fromContainer = new URL(endpoint);
  fromContainer.hostname = hostFromContainer(fromContainer.hostname);
  const env = { INGESTA_TEST_S3_DOCKER_ENDPOINT: fromContainer.origin };
  return { name: 's3', how: 'given by env INGESTA_TEST_S3_ENDPOINT', env, stop: async () => undefined };
}

async function startFrom(program: string | undefined, engine: Engine | undefined): Promise<ServiceHandle | undefined> {
  if (!program) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-s3-'));
  const [data, versions] = [join(folder, 'data'), join(folder, 'versions')];
  await Promise.all([mkdir(data), mkdir(versions)]);
  const port = await freePort();
  const accessKey = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const secretKey = randomBytes(24).toString('base64url');
  const listen = ['127.0.0.1', ...(engine?.gateway ? [engine.gateway] : [])];
  const endpoint = `http://127.0.0.1:${port}`;
  const ports = listen.flatMap((address) => ['--port', `${address}:${port}`]);
  const options = ['--region', 'us-east-1', '--quiet', '--keep-alive'];
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const server = await startServer(
      {
        command: program,
        args: [...ports, ...options, 'posix', '--versioning-dir', versions, data],
        cwd: folder,
        logFile: join(folder, 'versitygw.log'),
        env: { ...process.env, ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
      },
      () => fetch(endpoint),
    );
    return {
      name: 's3',
      how: `versitygw ${await builtVersion(program)}, installed program ${program}`,
      env: {
        INGESTA_TEST_S3_ENDPOINT: endpoint,
        INGESTA_TEST_S3_ACCESS_KEY: accessKey,
        INGESTA_TEST_S3_SECRET_KEY: secretKey,
        INGESTA_TEST_S3_DOCKER_ENDPOINT: `http://${HOST_FROM_CONTAINER}:${port}`,
      },
      stop: async () => {
        await server.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The version that Go wrote into the program: its own --version tells nothing when built from the module. */
async function builtVersion(program: string): Promise<string> {
  const mark = 'mod\tgithub.com/versity/versitygw\t';
  const content = await readFile(program);
  const start = content.indexOf(mark) + mark.length;
  return start < mark.length ? 'of unknown version' : content.toString('latin1', start, content.indexOf('\t', start));
}
