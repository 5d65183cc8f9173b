import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstThatStarts } from './attempts';
import { cacheFolder } from './cache-folder';
import {
  CASSANDRA_PASSWORD,
  CASSANDRA_USER,
  type CassandraNode,
  cassandraVersion,
  startNode,
  untilItKnows,
} from './cassandra-node';
import { findProgram, runCommand } from './command';
import { startContainer } from './container';
import type { Engine } from './engine';
import { givenByUrl } from './given';
import { presentOrPulled } from './images';
import { canCopyJars, copyJars } from './maven';
import { freePort } from './server-process';
import { HOST_FROM_CONTAINER, type ServiceHandle } from './service';

/** How to have Cassandra next time. */
export const BRING_CASSANDRA =
  'docker pull cassandra:5.0, or INGESTA_TEST_INSTALL=1 with Java 17 and Maven, or INGESTA_TEST_CASSANDRA_URL=cassandra://user:password@host:port';

const IMAGES = ['cassandra:5.0', 'cassandra:5', 'cassandra:4.1', 'cassandra:latest'];
const VERSION = '5.0.5';
const FOLDER = join(__dirname, 'cassandra');

/** Cassandra, from the first place that has it. */
export function startCassandra(engine?: Engine): Promise<ServiceHandle> {
  return firstThatStarts('cassandra', [
    givenByUrl('cassandra', 'INGESTA_TEST_CASSANDRA_URL', 'INGESTA_TEST_CASSANDRA', '9042'),
    { from: 'image', start: () => containerCassandra(engine) },
    { from: 'installed', start: async () => startJars(await cachedJars(), engine) },
    { from: 'install', start: async () => startJars(await fetchJars(), engine) },
  ]);
}

/** The folder of the server's jars, where an earlier run left it. */
export async function cachedJars(): Promise<string | undefined> {
  const lib = join(cacheFolder('cassandra'), 'lib');
  const jars = await readdir(lib).catch((): string[] => []);
  return jars.includes(`cassandra-all-${VERSION}.jar`) ? lib : undefined;
}

/** Has Maven bring the jars, where that is allowed and there is a Java to run them. */
async function fetchJars(): Promise<string | undefined> {
  if (!canCopyJars() || !(await java())) return undefined;
  const folder = cacheFolder('cassandra');
  await mkdir(folder, { recursive: true });
  const fresh = await mkdtemp(join(folder, 'fetch-'));
  try {
    await copyJars(join(FOLDER, 'pom.xml'), join(fresh, 'lib'));
    await rm(join(folder, 'lib'), { recursive: true, force: true });
    await rename(join(fresh, 'lib'), join(folder, 'lib'));
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return join(folder, 'lib');
}

/** A Java that Cassandra 5.0 runs on. */
async function java(): Promise<string | undefined> {
  const home = process.env.JAVA17_HOME;
  const program = home ? join(home, 'bin/java') : findProgram('java');
  if (!program) return undefined;
  const version = await runCommand(program, ['--version']).catch(() => '');
  return /^\S+ (11|17)\b/.test(version) ? program : undefined;
}

async function startJars(lib: string | undefined, engine: Engine | undefined): Promise<ServiceHandle | undefined> {
  const program = lib && (await java());
  if (!lib || !program) return undefined;
  // What clients are told to connect to: an address that this machine and its containers both reach.
  const node = await startNode(lib, program, { broadcast: engine?.gateway ?? '127.0.0.1' });
  return {
    name: 'cassandra',
    how: `Cassandra ${node.version}, jars in ${lib}`,
    env: cassandraEnv(node.port),
    stop: node.stop,
  };
}

/**
 * Starts a second node, alone in its cluster, that speaks TLS only. `keystore`: a PKCS #12 file of this password with the
 * node's key and certificate. Undefined where there are no jars, or no Java.
 */
export async function startTlsNode(keystore: string, password: string): Promise<CassandraNode | undefined> {
  const lib = await cachedJars();
  const program = lib && (await java());
  if (!lib || !program) return undefined;
  const encryption = { enabled: true, keystore, keystore_password: password, store_type: 'PKCS12' };
  const settings = `client_encryption_options: ${JSON.stringify(encryption)}`;
  return startNode(lib, program, { broadcast: '127.0.0.1', settings, tls: true });
}

/** A ring of a test's own: nodes of one data center that ask nobody for a password, by address. */
export interface CassandraRing {
  readonly port: number;
  readonly nodes: ReadonlyMap<string, CassandraNode>;
  stop(): Promise<void>;
}

const RING = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;
/** Of each node of the ring: virtual nodes, in turns with those of the others. */
const VIRTUAL_NODES = 8n;

/** Starts three nodes with eight tokens each. Undefined where there are no jars, or no Java. */
export async function startRing(): Promise<CassandraRing | undefined> {
  const lib = await cachedJars();
  const program = lib && (await java());
  if (!lib || !program) return undefined;
  const [port, storagePort] = [await freePort(), await freePort()];
  const nodes = new Map<string, CassandraNode>();
  const stop = async () => void (await Promise.all([...nodes.values()].map((node) => node.stop())));
  try {
    // One after the other: whoever joins asks the first who is there.
    for (const [i, address] of RING.entries()) {
      const settings = { authenticator: 'AllowAllAuthenticator', authorizer: 'AllowAllAuthorizer' };
      const place = { address, port, storagePort, seed: RING[0], tokens: tokensOf(i), broadcast: address };
      nodes.set(address, await startNode(lib, program, { ...place, ...settings }));
    }
    await Promise.all(RING.map((address) => untilItKnows(RING.length - 1, address, port)));
    return { port, nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Evenly over the ring, those of the nodes in turns. */
function tokensOf(node: number): bigint[] {
  const total = VIRTUAL_NODES * BigInt(RING.length);
  return Array.from({ length: Number(VIRTUAL_NODES) }, (_, i) => {
    const place = BigInt(i * RING.length + node);
    return -(2n ** 63n) + ((2n * place + 1n) * 2n ** 63n) / total;
  });
}

/** Cassandra from the official image, which has no variable for asking who connects. */
async function containerCassandra(engine: Engine | undefined): Promise<ServiceHandle | undefined> {
  const image = engine ? await presentOrPulled(IMAGES) : undefined;
  if (!engine || !image) return undefined;
  const hostPort = await freePort();
  const settings = [
    's/^authenticator:.*/authenticator: PasswordAuthenticator/',
    's/^authorizer:.*/authorizer: CassandraAuthorizer/',
    's/^materialized_views_enabled:.*/materialized_views_enabled: true/',
  ];
  const edit = `sed -i ${settings.map((setting) => `-e '${setting}'`).join(' ')} /etc/cassandra/cassandra.yaml`;
  const server = await startContainer(
    engine,
    {
      image,
      args: ['bash', '-c', `${edit} && exec docker-entrypoint.sh cassandra -f`],
      env: { MAX_HEAP_SIZE: '512M', HEAP_NEWSIZE: '128M' },
      containerPort: 9042,
      hostPort,
      logFolder: await mkdtemp(join(tmpdir(), 'ingesta-cassandra-')),
    },
    () => cassandraVersion('127.0.0.1', hostPort),
  );
  return {
    name: 'cassandra',
    how: `Cassandra ${server.answer}, Docker image ${image}`,
    env: cassandraEnv(hostPort),
    stop: server.stop,
  };
}

/** What the tests read. */
const cassandraEnv = (port: number): Record<string, string> => ({
  INGESTA_TEST_CASSANDRA_HOST: '127.0.0.1',
  INGESTA_TEST_CASSANDRA_PORT: String(port),
  INGESTA_TEST_CASSANDRA_USER: CASSANDRA_USER,
  INGESTA_TEST_CASSANDRA_PASSWORD: CASSANDRA_PASSWORD,
  INGESTA_TEST_CASSANDRA_DOCKER_HOST: HOST_FROM_CONTAINER,
});
