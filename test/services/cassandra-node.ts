import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auth, Client } from 'cassandra-driver';
import { freePort, startServer } from './server-process';

/** The superuser that every new cluster has. */
export const CASSANDRA_USER = 'cassandra';
export const CASSANDRA_PASSWORD = 'cassandra';

const FOLDER = join(__dirname, 'cassandra');
const READY_MS = 120_000;
const CONNECT_MS = 5_000;
const JOIN_MS = 30_000;

/** A node of a test's own. */
export interface CassandraNode {
  readonly port: number;
  readonly version: string;
  stop(): Promise<void>;
}

/** How a node differs from one that is alone in its cluster. */
export interface NodeOptions {
  /** What clients are told to connect to. */
  readonly broadcast: string;
  /** Its own address, for other nodes and for clients; otherwise 127.0.0.1, and any for clients. */
  readonly address?: string;
  readonly port?: number;
  readonly storagePort?: number;
  /** The node that knows the others. */
  readonly seed?: string;
  readonly tokens?: readonly bigint[];
  readonly authenticator?: string;
  readonly authorizer?: string;
  /** More lines of cassandra.yaml. */
  readonly settings?: string;
  readonly tls?: boolean;
}

/** Starts a node of our own on a fresh data folder. */
export async function startNode(lib: string, program: string, options: NodeOptions): Promise<CassandraNode> {
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-cassandra-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const port = options.port ?? (await freePort());
    const address = options.address ?? '127.0.0.1';
    const tokens = options.tokens ?? [0n];
    const places: Record<string, string | number> = {
      DATA: folder,
      CQL_PORT: port,
      STORAGE_PORT: options.storagePort ?? (await freePort()),
      ADDRESS: address,
      RPC_ADDRESS: options.address ?? '0.0.0.0',
      SEED: options.seed ?? address,
      TOKENS: tokens.join(','),
      TOKEN_COUNT: tokens.length,
      BROADCAST: options.broadcast,
      AUTHENTICATOR: options.authenticator ?? 'PasswordAuthenticator',
      AUTHORIZER: options.authorizer ?? 'CassandraAuthorizer',
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
          `@${join(FOLDER, 'java.options')}`,
          // Of those that join: how long they may wait for the first answer of the seed.
          ...(options.seed === undefined ? [] : [`-Dcassandra.ring_delay_ms=${JOIN_MS}`]),
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
      () => cassandraVersion(address, port, options.tls),
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

/** The node's version, asked over a real connection; the role is there a moment after the port. */
export async function cassandraVersion(address: string, port: number, tls = false): Promise<string> {
  const client = new Client({
    contactPoints: [address],
    protocolOptions: { port },
    localDataCenter: 'datacenter1',
    authProvider: new auth.PlainTextAuthProvider(CASSANDRA_USER, CASSANDRA_PASSWORD),
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
