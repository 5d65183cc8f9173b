import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { auth, Client } from 'cassandra-driver';
import { firstThatStarts } from './attempts';
import { findProgram, runCommand } from './command';
import { startContainer } from './container';
import type { Engine } from './engine';
import { givenByUrl } from './given';
import { presentOrPulled } from './images';
import { canCopyJars, copyJars } from './maven';
import { freePort, startServer } from './server-process';
import { HOST_FROM_CONTAINER, type ServiceHandle } from './service';

/** How to have Cassandra next time. */
export const BRING_CASSANDRA =
  'docker pull cassandra:5.0, or INGESTA_TEST_INSTALL=1 with Java 17 and Maven, or INGESTA_TEST_CASSANDRA_URL=cassandra://user:password@host:port';

/** The superuser that every new cluster has. */
const USER = 'cassandra';
const PASSWORD = 'cassandra';

const IMAGES = ['cassandra:5.0', 'cassandra:5', 'cassandra:4.1', 'cassandra:latest'];
const VERSION = '5.0.5';
const FOLDER = join(__dirname, 'cassandra');
const READY_MS = 120_000;
const CONNECT_MS = 5_000;

/** Cassandra, from the first place that has it. */
export function startCassandra(engine?: Engine): Promise<ServiceHandle> {
  return firstThatStarts('cassandra', [
    givenByUrl('cassandra', 'INGESTA_TEST_CASSANDRA_URL', 'INGESTA_TEST_CASSANDRA', '9042'),
    { from: 'image', start: () => containerCassandra(engine) },
    { from: 'installed', start: async () => startJars(await cachedJars(), engine) },
    { from: 'install', start: async () => startJars(await fetchJars(), engine) },
  ]);
}

const cacheFolder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ingesta-services', 'cassandra');

/** The folder of the server's jars, where an earlier run left it. */
async function cachedJars(): Promise<string | undefined> {
  const lib = join(cacheFolder(), 'lib');
  const jars = await readdir(lib).catch((): string[] => []);
  return jars.includes(`cassandra-all-${VERSION}.jar`) ? lib : undefined;
}

/** Has Maven bring the jars, where that is allowed and there is a Java to run them. */
async function fetchJars(): Promise<string | undefined> {
  if (!canCopyJars() || !(await java())) return undefined;
  const folder = cacheFolder();
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

/** A node of a test's own. */
export interface CassandraNode {
  readonly port: number;
  readonly version: string;
  stop(): Promise<void>;
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

interface NodeOptions {
  readonly broadcast: string;
  /** More lines of cassandra.yaml. */
  readonly settings?: string;
  readonly tls?: boolean;
}

/** Starts a node of our own on a fresh data folder. */
async function startNode(lib: string, program: string, options: NodeOptions): Promise<CassandraNode> {
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-cassandra-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const port = await freePort();
    const places: Record<string, string | number> = {
      DATA: folder,
      CQL_PORT: port,
      STORAGE_PORT: await freePort(),
      BROADCAST: options.broadcast,
      EXTRA: options.settings ?? '',
    };
    const template = await readFile(join(FOLDER, 'cassandra.yaml.template'), 'utf8');
    const settings = template.replace(/@(\w+)@/g, (_, name: string) => String(places[name]));
    await writeFile(join(folder, 'cassandra.yaml'), settings);
    const agent = (await readdir(lib)).find((name) => /^jamm-.*\.jar$/.test(name));
    const server = await startServer(
      {
        command: program,
        args: [
          ...JAVA_OPTIONS,
          `-javaagent:${join(lib, agent ?? 'jamm.jar')}`,
          `-Dlogback.configurationFile=${join(FOLDER, 'logback.xml')}`,
          `-Dcassandra.storagedir=${folder}`,
          `-Dcassandra.logdir=${folder}`,
          `-Dcassandra.config=file://${folder}/cassandra.yaml`,
          '-cp',
          join(lib, '*'),
          'org.apache.cassandra.service.CassandraDaemon',
        ],
        cwd: folder,
        logFile: join(folder, 'cassandra.log'),
        // Nothing of it is needed any more: it would flush its tables first.
        stopSignal: 'SIGKILL',
        detached: true,
        readyWithinMs: READY_MS,
      },
      () => cassandraVersion(port, options.tls),
    );
    return {
      port,
      version: server.answer,
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
    () => cassandraVersion(hostPort),
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
  INGESTA_TEST_CASSANDRA_USER: USER,
  INGESTA_TEST_CASSANDRA_PASSWORD: PASSWORD,
  INGESTA_TEST_CASSANDRA_DOCKER_HOST: HOST_FROM_CONTAINER,
});

/** The node's version, asked over a real connection; the role is there a moment after the port. */
async function cassandraVersion(port: number, tls = false): Promise<string> {
  const client = new Client({
    contactPoints: ['127.0.0.1'],
    protocolOptions: { port },
    localDataCenter: 'datacenter1',
    authProvider: new auth.PlainTextAuthProvider(USER, PASSWORD),
    ...(tls && { sslOptions: { rejectUnauthorized: false } }),
    socketOptions: { connectTimeout: CONNECT_MS, readTimeout: CONNECT_MS },
  });
  try {
    const { rows } = await client.execute('SELECT release_version FROM system.local');
    return rows[0]!.release_version;
  } finally {
    await client.shutdown();
  }
}

const open = (flag: string, places: readonly string[]): string[] =>
  places.flatMap((place) => [flag, `${place}=ALL-UNNAMED`]);

/** As the server's own start script says, for a node that is alone, starts at once and has 512 MB. */
const JAVA_OPTIONS = [
  '-Xms64m',
  '-Xmx512m',
  '-Xss512k',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '-Djava.net.preferIPv4Stack=true',
  '-Djdk.attach.allowAttachSelf=true',
  '-Dio.netty.tryReflectionSetAccessible=true',
  '-Dfile.encoding=UTF-8',
  '-Dcassandra.skip_wait_for_gossip_to_settle=0',
  '-Dcassandra.ring_delay_ms=0',
  '-Dcassandra.superuser_setup_delay_ms=0',
  '-Dcassandra.load_ring_state=false',
  '-Dcassandra.consistent.rangemovement=false',
  '-Dcassandra.unsafesystem=true',
  '-Dcassandra.memtable.row_overhead_size=180',
  '-Dcassandra.test.flush_local_schema_changes=false',
  '-Dcassandra-foreground=yes',
  ...open('--add-exports', [
    'java.base/jdk.internal.misc',
    'java.base/jdk.internal.ref',
    'java.base/java.lang.ref',
    'java.base/sun.nio.ch',
    'java.management.rmi/com.sun.jmx.remote.internal.rmi',
    'java.rmi/sun.rmi.registry',
    'java.rmi/sun.rmi.server',
    'java.rmi/sun.rmi.transport.tcp',
    'java.sql/java.sql',
    'jdk.unsupported/sun.misc',
  ]),
  ...open('--add-opens', [
    'java.base/java.io',
    'java.base/java.lang',
    'java.base/java.lang.module',
    'java.base/java.lang.reflect',
    'java.base/java.math',
    'java.base/java.net',
    'java.base/java.nio',
    'java.base/java.util',
    'java.base/java.util.concurrent',
    'java.base/java.util.concurrent.atomic',
    'java.base/jdk.internal.loader',
    'java.base/jdk.internal.math',
    'java.base/jdk.internal.module',
    'java.base/jdk.internal.ref',
    'java.base/jdk.internal.reflect',
    'java.base/jdk.internal.util.jar',
    'java.base/sun.nio.ch',
    'jdk.management/com.sun.management.internal',
  ]),
];
