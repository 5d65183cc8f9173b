import type { Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { readCa, unavailable } from '@ingesta/kit';
import { auth, Client, types } from 'cassandra-driver';
import { LocalDataCenterPolicy, OtherNodePolicy } from './policies';
import { RAW_ROWS } from './raw-rows';
import { connectError, UNREACHED_HINT } from './server-error';
import type { Settings } from './settings';

/** A peer that vanished is noticed 40 s later (Node's ten probes, a second apart); one that pauses for 30 s is not. */
const KEEP_ALIVE_AFTER_MS = 30_000;
/** Longer than a node's own limit for a range (10 s by default): it should be the one to say that it took too long. */
const READ_TIMEOUT_MS = 15_000;
/** Time for a polite goodbye. */
const GOODBYE_MS = 1_000;

/** Logs in. The client's sockets break as soon as `signal` is aborted. Throws `ScriptError`, or the signal's reason. */
export async function connect(settings: Settings, signal: AbortSignal): Promise<Client> {
  const where = `${settings.hosts.join(',')}:${settings.port}`;
  const sslOptions = await tls(settings);
  signal.throwIfAborted();
  const client = new Client({
    contactPoints: settings.hosts,
    protocolOptions: { port: settings.port },
    ...(settings.user && { authProvider: new auth.PlainTextAuthProvider(settings.user, settings.password) }),
    ...(sslOptions && { sslOptions }),
    policies: { loadBalancing: new LocalDataCenterPolicy(settings.localDc), retry: new OtherNodePolicy() },
    queryOptions: { consistency: consistencyOf(settings), isIdempotent: true },
    socketOptions: {
      // Of one attempt: the contact points are tried in turns, and then the other nodes, all at once.
      connectTimeout: Math.floor(settings.connectTimeout / (settings.hosts.length + 1)),
      readTimeout: READ_TIMEOUT_MS,
      keepAliveDelay: KEEP_ALIVE_AFTER_MS,
    },
    encoding: RAW_ROWS,
    // Tables are asked for by their own query; the driver would read the whole schema.
    isMetadataSyncEnabled: false,
    prepareOnAllHosts: false,
  });
  const abort = () => disconnect(client);
  signal.addEventListener('abort', abort, { once: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.race([
      client.connect(),
      new Promise((_, reject) => {
        const late = () => reject(unavailable(`Cassandra at ${where} did not answer in time`, UNREACHED_HINT));
        timer = setTimeout(late, settings.connectTimeout);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
    ]);
    return client;
  } catch (error) {
    disconnect(client);
    signal.throwIfAborted();
    throw connectError(error, where);
  } finally {
    clearTimeout(timer);
  }
}

function consistencyOf({ consistency }: Settings): types.consistencies {
  const camelCase = consistency.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return types.consistencies[camelCase as keyof typeof types.consistencies];
}

/** What the driver keeps its sockets in; its types leave it out. */
interface Internals {
  controlConnection?: { connection?: Connection | null; hosts?: Hosts; shutdown?(): void };
  hosts?: Hosts;
}
interface Hosts {
  values(): { pool?: { connections?: Connection[] }; shutdown?(waitForPending: boolean): Promise<unknown> }[];
}
interface Connection {
  netClient?: Socket;
}

/** Frees the nodes at once: whoever waits for an answer gets an error, and nothing is connected again. */
export function disconnect(client: Client): void {
  const { controlConnection, hosts } = client as unknown as Internals;
  // Until it is connected the client knows no hosts, while attempts to reach them are already under way.
  const known = (hosts ?? controlConnection?.hosts)?.values() ?? [];
  const connections = known.flatMap((host) => host.pool?.connections ?? []);
  const control = controlConnection?.connection;
  client.shutdown().catch(() => {});
  try {
    controlConnection?.shutdown?.();
  } catch {
    // It had not been opened.
  }
  for (const host of known) host.shutdown?.(false).catch(() => {});
  for (const connection of [...connections, control]) connection?.netClient?.destroy();
}

/** Leaves politely; nodes that do not answer are left anyway. */
export async function goodbye(client: Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, GOODBYE_MS);
  });
  await Promise.race([client.shutdown().catch(() => {}), late]);
  clearTimeout(timer);
  disconnect(client);
}

async function tls(settings: Settings): Promise<ConnectionOptions | undefined> {
  if (settings.sslMode === 'disable') return undefined;
  if (settings.sslMode === 'require') return { rejectUnauthorized: false };
  const ca = settings.sslCa ? await readCa('CASSANDRA_SSL_CA', settings.sslCa) : undefined;
  const verified: ConnectionOptions = { ...(ca && { ca }), rejectUnauthorized: true };
  if (settings.sslMode === 'verify-ca') return { ...verified, checkServerIdentity: () => undefined };
  return {
    ...verified,
    // The driver connects to addresses only: a certificate is right for its address or for one of the names given.
    checkServerIdentity: (address, certificate) => {
      const verdicts = [address, ...settings.hosts].map((name) => checkServerIdentity(name, certificate));
      return verdicts.includes(undefined) ? undefined : verdicts[0];
    },
  };
}
