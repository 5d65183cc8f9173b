import * as os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceContext } from '@ingesta/kit';
import { type Document, MongoClient, type MongoClientOptions } from 'mongodb';
import { connectError } from './server-error';
import type { Settings } from './settings';
import { tlsOptions } from './tls-options';

/** A server that is paused for half a minute is not lost. */
const HEARTBEAT_MS = 30_000;

/** How long a polite goodbye may take, in milliseconds. */
const GOODBYE_MS = 1_000;

/** A client that talks to one server, and what that server says of itself. */
export interface Connected {
  client: MongoClient;
  hello: Document;
}

/** Logs in. Throws `ScriptError`, or the signal's reason as soon as it is aborted. */
export async function connect(settings: Settings, context: SourceContext): Promise<Connected> {
  const { signal } = context;
  signal.throwIfAborted();
  const options: MongoClientOptions = {
    ...settings.options,
    ...(await tlsOptions(settings)),
    // For each read its own, and one more to count or to kill its cursor.
    maxPoolSize: 2 * context.parallelTables + 2,
  };
  const first = await open(settings, settings.uri, options, signal);
  const { hosts, srvHost } = first.client.options;
  // A cursor lives in one mongos; with several of them each batch would be asked for at another.
  if (!isMongos(first.hello) || (hosts.length < 2 && !srvHost)) return first;
  await disconnect(first.client);
  return srvHost
    ? open(settings, settings.uri, { ...options, srvMaxHosts: 1 }, signal)
    : open(settings, withOneHost(settings.uri, hosts[0]!.toString()), options, signal);
}

export const isMongos = (hello: Document): boolean => hello.msg === 'isdbgrid';

/** The same URI with `host` in the place of its list of hosts. */
export const withOneHost = (uri: string, host: string): string =>
  uri.replace(/^(mongodb:\/\/(?:[^@/]*@)?)[^/?]*/, (_, before: string) => before + host);

async function open(
  settings: Settings,
  uri: string,
  options: MongoClientOptions,
  signal: AbortSignal,
): Promise<Connected> {
  let client: MongoClient | undefined;
  const abort = () => void client?.close(true).catch(() => undefined);
  try {
    client = new MongoClient(uri, {
      ...options,
      appName: 'ingesta',
      serverSelectionTimeoutMS: settings.connectTimeout,
      connectTimeoutMS: settings.connectTimeout,
      // Where the monitor hears nothing for that and a connect's time, the driver breaks off reads under way as well.
      heartbeatFrequencyMS: HEARTBEAT_MS,
      // A read that is tried again behind our back could leave out or repeat documents.
      retryReads: false,
      // Else the driver would import it, which fails silently where modules cannot be imported at run time.
      runtimeAdapters: { os },
    });
    signal.addEventListener('abort', abort, { once: true });
    await withAbort(client.connect(), signal);
    return { client, hello: await withAbort(client.db('admin').command({ hello: 1 }), signal) };
  } catch (error) {
    abort();
    signal.throwIfAborted();
    throw connectError(error, settings);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Closes every socket; a server that does not answer is left anyway. Never throws. */
export async function disconnect(client: MongoClient): Promise<void> {
  await atMost(GOODBYE_MS, client.close(true));
}

/** Waits for `work`, whatever becomes of it, but no longer than that. */
export async function atMost(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const limit = sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([work.catch(() => undefined), limit]);
  timer.abort();
}

async function withAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
