import { configError, EXIT, failed, refused, ScriptError, unavailable } from '@ingesta/kit';
import { MongoError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import type { Settings } from './settings';

/** AtlasError: whatever it is that Atlas does not allow. */
const ATLAS = 8000;
/** AuthenticationFailed, UserNotFound, and Atlas' own word for both. */
const BAD_LOGIN = new Set([18, 11, ATLAS]);
const UNAUTHORIZED = 13;
/** The server goes down, steps down, or dropped our cursor on the way. */
const GONE = new Set([6, 7, 43, 89, 91, 189, 237, 262, 9001, 10107, 11600, 11602, 13435, 13436]);
const SNAPSHOT_TOO_OLD = 239;
const SNAPSHOT_UNAVAILABLE = 246;
/** Dropped or renamed under the cursor. */
const COLLECTION_GONE = new Set([26, 175, 11601]);
/** Certificate errors as OpenSSL and Node name them. */
const CERTIFICATE = /CERT|ALTNAME|ISSUER|SIGNATURE|ERR_TLS|ERR_SSL|EPROTO/;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const serverCode = (error: unknown): number =>
  error instanceof MongoServerError && typeof error.code === 'number' ? error.code : 0;

/** Every code down the chain of causes; server selection hides the reason in its description. */
function codesOf(error: unknown): string {
  const codes: string[] = [];
  let at = error as (NodeJS.ErrnoException & { cause?: unknown }) | undefined;
  for (let i = 0; at && i < 8; i++) {
    codes.push(String(at.code ?? ''));
    at = at.cause as typeof at;
  }
  return codes.join(' ');
}

/** What a failed attempt to connect means. */
export function connectError(error: unknown, { where, sslMode }: Pick<Settings, 'where' | 'sslMode'>): ScriptError {
  if (error instanceof ScriptError) return error;
  const message = messageOf(error);
  if (BAD_LOGIN.has(serverCode(error)) || /^Authentication failed|bad auth/i.test(message)) {
    const hint = 'Check MONGO_USER, MONGO_PASSWORD and MONGO_AUTH_SOURCE (or those in MONGO_URI).';
    return refused(`MongoDB at ${where} refused the user: ${message}`, hint, error);
  }
  if (serverCode(error) === UNAUTHORIZED) {
    const hint = 'Set MONGO_USER and MONGO_PASSWORD; the role `read` on the database is enough.';
    return refused(`MongoDB at ${where} refused the user: ${message}`, hint, error);
  }
  const codes = codesOf(error);
  if (/ENOENT|EACCES|EISDIR/.test(codes)) {
    return configError(`A file of the TLS settings cannot be read (${codes.trim()})`, 'Check MONGO_URI.');
  }
  if (CERTIFICATE.test(codes)) {
    return configError(
      `The certificate of MongoDB at ${where} is not accepted: ${message}`,
      'Check MONGO_SSL_CA; MONGO_SSL_MODE=verify-ca does not compare the host name, require checks nothing.',
    );
  }
  if (/before secure TLS connection/.test(message)) {
    return configError(
      `MongoDB at ${where} hung up on TLS: ${message}`,
      'Set MONGO_SSL_MODE=disable, or enable TLS there (net.tls.mode).',
    );
  }
  if (error instanceof MongoServerError && !GONE.has(serverCode(error))) {
    return failed(`MongoDB at ${where} answered: ${message}`, 'See the log of the server.', error);
  }
  return unavailable(
    `MongoDB at ${where} cannot be reached: ${message}`,
    sslMode === 'disable' && /closed/.test(message)
      ? 'It hung up: does it want TLS (MONGO_SSL_MODE=require, or tls=true in MONGO_URI)?'
      : 'Is the server up, and are MONGO_HOST and MONGO_PORT (or MONGO_URI) right as seen from here?',
    error,
  );
}

/** What an error during the work named by `what` (`Collection users`) means. */
export function queryError(error: unknown, what: string): unknown {
  if (error instanceof ScriptError) return error;
  const code = serverCode(error);
  const text = `${what}: ${messageOf(error)}`;
  if (isLoss(error))
    return unavailable(`${text} (the connection was lost mid-way)`, 'Run again once it is back.', error);
  if (code === SNAPSHOT_TOO_OLD || code === SNAPSHOT_UNAVAILABLE) {
    const hint =
      'The server keeps its history for minSnapshotHistoryWindowInSeconds (300 unless set): raise that parameter, take fewer tables per run, or set MONGO_SNAPSHOT=off.';
    return failed(`${text} (the snapshot is no longer there)`, hint, error);
  }
  if (COLLECTION_GONE.has(code)) return changed(what, 'it was dropped or renamed');
  if (code === UNAUTHORIZED) {
    return refused(text, 'Grant the role `read` on it, or leave it out with MONGO_TABLES.', error);
  }
  return error instanceof MongoError ? failed(text, 'See the log of the server.', error) : error;
}

/** Whether the user lacks a right. */
export const isUnauthorized = (error: unknown): boolean => serverCode(error) === UNAUTHORIZED;

/** Whether `noCursorTimeout` is more than the server gives: the free and the shared tiers of Atlas. */
export const isPatienceRefused = (error: unknown): boolean =>
  serverCode(error) === ATLAS && /noTimeout/i.test(messageOf(error));

/** Whether the connection, or the cursor behind it, is gone. */
export const isLoss = (error: unknown): boolean =>
  error instanceof MongoServerError
    ? GONE.has(serverCode(error))
    : error instanceof MongoServerSelectionError ||
      /Network|NotConnected|Closed|Pool/.test((error as Error)?.name ?? '');

/** The collection is no longer as the first pass found it: nothing may be lost silently. Worth another attempt. */
export const changed = (what: string, how: string): ScriptError =>
  new ScriptError(
    EXIT.TEMPORARY,
    'SCRIPT_FAILED',
    `${what}: the collection changed during the export: ${how}`,
    'Run again; a replica set gives exports a snapshot which no write disturbs.',
  );
