import type { Socket } from 'node:net';
import { readCa } from '@ingesta/kit';
import {
  type Connection,
  createConnection,
  type PrepareStatementInfo,
  type RowDataPacket,
  type SslOptions,
} from 'mysql2';
import { connectError } from './server-error';
import type { Settings } from './settings';

/** A peer that vanished is noticed 40 s later (Node's ten probes, a second apart); one that pauses for 30 s is not. */
const KEEP_ALIVE_AFTER_MS = 30_000;
/** Time for the server to close a connection that we take leave of. */
const GOODBYE_MS = 1_000;

/** Logs in. The connection breaks as soon as `signal` is aborted. Throws `ScriptError`, or the signal's reason. */
export async function connect(settings: Settings, signal: AbortSignal): Promise<Connection> {
  const ssl = await tls(settings);
  signal.throwIfAborted();
  const connection = createConnection({
    host: settings.host,
    port: settings.port,
    user: settings.user,
    password: settings.password,
    database: settings.database,
    ssl,
    connectTimeout: settings.connectTimeout,
    enableKeepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
    connectAttributes: { program_name: 'ingesta' },
    // The server has no business asking for files of ours.
    flags: ['-LOCAL_FILES'],
  });
  // Whoever is waiting for an answer gets the error too; without a listener it would end the process.
  connection.on('error', () => {});
  const abort = () => disconnect(connection);
  signal.addEventListener('abort', abort, { once: true });
  socketOf(connection).once('close', () => signal.removeEventListener('abort', abort));
  try {
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
    return connection;
  } catch (error) {
    disconnect(connection);
    signal.throwIfAborted();
    throw connectError(error, `${settings.host}:${settings.port}`);
  }
}

/** Rows of a small query, whole. */
export function query<Row>(connection: Connection, sql: string, values: (string | string[])[] = []): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    connection.query<RowDataPacket[]>(sql, values, (error, rows) => (error ? reject(error) : resolve(rows as Row[])));
  });
}

/** Has the server parse a statement. */
export function prepare(connection: Connection, sql: string): Promise<PrepareStatementInfo> {
  return new Promise((resolve, reject) => {
    connection.prepare(sql, (error, statement) => (error ? reject(error) : resolve(statement)));
  });
}

/** The server keeps a limited number of them, and the driver would answer for ever with what the server knew once. */
export function unprepare(connection: Connection, sql: string): void {
  if (!socketOf(connection).destroyed) connection.unprepare(sql);
}

/** The socket in use: after the handshake it may be a TLS one. The driver's types leave it out. */
export const socketOf = (connection: Connection): Socket => (connection as unknown as { stream: Socket }).stream;

/**
 * Frees the server's thread at once: its next write fails. `connection.destroy()` would only end the writing side, and
 * a server in the middle of a table would go on waiting for us to read. The error reaches whoever waits for an answer.
 */
export function disconnect(connection: Connection): void {
  socketOf(connection).destroy(connectionClosed());
}

/** What a command gets that comes after, or is cut off by, the end of the connection. */
export const connectionClosed = (): Error =>
  Object.assign(new Error('The connection was closed on our side'), { code: 'ECONNABORTED' });

/** Leaves politely, so that the server counts no aborted client; a server that does not answer is left anyway. */
export async function goodbye(connection: Connection): Promise<void> {
  const socket = socketOf(connection);
  if (socket.destroyed) return;
  const timer = setTimeout(() => disconnect(connection), GOODBYE_MS);
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.resume();
    connection.end();
  });
  clearTimeout(timer);
}

async function tls(settings: Settings): Promise<SslOptions | undefined> {
  if (settings.sslMode === 'disable') return undefined;
  if (settings.sslMode === 'require') return { rejectUnauthorized: false };
  const ca = settings.sslCa ? await readCa('MYSQL_SSL_CA', settings.sslCa) : undefined;
  return { ...(ca && { ca }), rejectUnauthorized: true, verifyIdentity: settings.sslMode === 'verify-full' };
}
