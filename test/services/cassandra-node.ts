import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { auth, Client, type ClientOptions, policies, type types } from 'cassandra-driver';
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
  const [row] = await ask(address, port, 'SELECT release_version FROM system.local', {
    ...(tls && { sslOptions: { rejectUnauthorized: false } }),
  });
  return row!.release_version;
}

/**
 * Waits until a node knows the schema of so many others. Before that it thinks they all agree, and a keyspace that was just made may
 * be unknown where it is asked for next.
 */
export async function untilItKnows(others: number, address: string, port: number): Promise<void> {
  const { AllowListPolicy, RoundRobinPolicy } = policies.loadBalancing;
  const until = Date.now() + READY_MS;
  for (;;) {
    const loadBalancing = new AllowListPolicy(new RoundRobinPolicy(), [`${address}:${port}`]);
    const peers = await ask(address, port, 'SELECT schema_version FROM system.peers', { policies: { loadBalancing } });
    const known = peers.filter((peer) => peer.schema_version);
    if (known.length >= others) return;
    if (Date.now() > until) throw new Error(`${address} knows ${known.length} of ${others} other nodes`);
    await sleep(200);
  }
}

async function ask(
  address: string,
  port: number,
  query: string,
  options: Partial<ClientOptions>,
): Promise<types.Row[]> {
  const client = new Client({
    contactPoints: [address],
    protocolOptions: { port },
    localDataCenter: 'datacenter1',
    authProvider: new auth.PlainTextAuthProvider(CASSANDRA_USER, CASSANDRA_PASSWORD),
    socketOptions: { connectTimeout: CONNECT_MS, readTimeout: CONNECT_MS },
    ...options,
  });
  try {
    return (await client.execute(query)).rows;
  } finally {
    await client.shutdown();
  }
}
