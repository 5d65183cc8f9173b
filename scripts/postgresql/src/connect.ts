import { readCa } from '@ingesta/kit';
import { Client, type ClientConfig } from 'pg';
import { connectError } from './server-error';
import type { Settings } from './settings';

/** A peer that vanished is noticed 40 s later (Node's ten probes, a second apart); one that pauses for 30 s is not. */
const KEEP_ALIVE_AFTER_MS = 30_000;

/** Logs in. The client's socket is destroyed as soon as `signal` is aborted. Throws `ScriptError`. */
export async function connect(settings: Settings, signal: AbortSignal): Promise<Client> {
  const client = new Client({
    host: settings.host,
    port: settings.port,
    user: settings.user,
    database: settings.database,
    // As a function: given as an empty string, the driver would look in PGPASSWORD and ~/.pgpass.
    password: () => settings.password,
    ssl: await tls(settings),
    options: settings.options || undefined,
    application_name: 'ingesta',
    connectionTimeoutMillis: settings.connectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
  });
  // Whoever is waiting for an answer gets the error too; without a listener it would end the process.
  client.on('error', () => {});
  signal.throwIfAborted();
  const abort = () => disconnect(client);
  signal.addEventListener('abort', abort, { once: true });
  client.once('end', () => signal.removeEventListener('abort', abort));
  try {
    await client.connect();
    return client;
  } catch (error) {
    disconnect(client);
    signal.throwIfAborted();
    throw connectError(error, settings.host.startsWith('/') ? settings.host : `${settings.host}:${settings.port}`);
  }
}

/** The driver's own connection, which its types leave out. */
const streamOf = (client: Client): import('node:stream').Duplex =>
  (client as unknown as { connection: { stream: import('node:stream').Duplex } }).connection.stream;

/** Frees the backend at once: the server stops the query when its next write fails. */
export function disconnect(client: Client): void {
  streamOf(client).destroy();
}

async function tls(settings: Settings): Promise<ClientConfig['ssl']> {
  if (settings.sslMode === 'disable') return false;
  if (settings.sslMode === 'require') return { rejectUnauthorized: false };
  const ca = settings.sslCa ? await readCa('POSTGRES_SSL_CA', settings.sslCa) : undefined;
  const verified = { ...(ca && { ca }), rejectUnauthorized: true };
  return settings.sslMode === 'verify-ca' ? { ...verified, checkServerIdentity: () => undefined } : verified;
}
