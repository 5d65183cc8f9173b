import { configError, EXIT, failed, refused, ScriptError, unavailable } from '@ingesta/kit';

/** SQLSTATEs of a server that goes down, starts up, is full, or lost us. */
const GONE = /^(08|57P0[1-5]|53300|25P0[34])/;
/** Certificate errors as OpenSSL and Node name them. */
const CERTIFICATE = /CERT|ALTNAME|ISSUER|SIGNATURE|ERR_TLS|ERR_SSL|EPROTO/;

/** The SQLSTATE or Node's code, '' where there is none. */
const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
/** Node's own codes, and the driver's words for a socket that closed. */
const isConnectionLoss = (error: unknown): boolean =>
  /^E[A-Z]{3,}$/.test(codeOf(error)) || /^Connection terminated|not queryable$/.test(messageOf(error));
const isSqlState = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code);

/** What a failed attempt to connect to `where` (`host:port`) means. */
export function connectError(error: unknown, where: string): ScriptError {
  if (error instanceof ScriptError) return error;
  const code = codeOf(error);
  const message = messageOf(error);
  if (code === '3D000') {
    return configError(`PostgreSQL at ${where}: ${message}`, 'Check POSTGRES_DB.');
  }
  if (code.startsWith('28') || code === '42501' || /^SASL|password/i.test(message)) {
    const hint = /pg_hba/.test(message)
      ? 'Allow this host in pg_hba.conf; where it says "no encryption", set POSTGRES_SSL_MODE=require.'
      : 'Check POSTGRES_USER and POSTGRES_PASSWORD.';
    return refused(`PostgreSQL at ${where} refused the user: ${message}`, hint, error);
  }
  if (/does not support SSL/.test(message)) {
    return configError(
      `PostgreSQL at ${where} does not speak TLS`,
      'Set POSTGRES_SSL_MODE=disable, or enable ssl there.',
    );
  }
  if (CERTIFICATE.test(code)) {
    return configError(
      `The certificate of PostgreSQL at ${where} is not accepted: ${message || code}`,
      'Check POSTGRES_SSL_CA; POSTGRES_SSL_MODE=verify-ca does not compare the host name, require checks nothing.',
    );
  }
  if (isSqlState(code) && !GONE.test(code)) {
    return failed(`PostgreSQL at ${where} answered: ${message} (${code})`, 'See the log of the server.', error);
  }
  return unavailable(
    `PostgreSQL at ${where} cannot be reached: ${message || code}`,
    code === '53300'
      ? 'All its connections are taken: wait, or raise max_connections.'
      : 'Is the server up, and are POSTGRES_HOST and POSTGRES_PORT right as seen from here?',
    error,
  );
}

/** What an error during the work named by `what` (`Table users`) means. */
export function queryError(error: unknown, what: string): ScriptError {
  if (error instanceof ScriptError) return error;
  const code = codeOf(error);
  const message = messageOf(error);
  if (isConnectionLoss(error) || GONE.test(code)) {
    return unavailable(
      `${what}: the connection was lost mid-way: ${message || code}`,
      'Run again once it is back.',
      error,
    );
  }
  const text = `${what}: ${message}${code && ` (${code})`}`;
  switch (code) {
    case '42P01':
    case '42703':
    case '3F000':
      return failed(text, 'It was dropped or renamed while the run was under way: run again.', error);
    case '42501':
      return refused(text, 'Grant SELECT on it, or leave it out with POSTGRES_TABLES.', error);
    case '57014':
      return failed(text, 'Raise POSTGRES_STATEMENT_TIMEOUT (0 is no limit), or ask who cancelled the query.', error);
    case '40001':
    case '40P01':
    case '55P03':
      return temporary(text, 'On a standby, raise max_standby_streaming_delay or set hot_standby_feedback.', error);
    default:
      return failed(text, 'See the log of the server.', error);
  }
}

/** Nobody else let go of the table in time. */
export const isLockConflict = (error: unknown): boolean => /^(55P03|40P01)$/.test(codeOf(error));

/** True where the server read the statement and will not have it; it is no matter of its own state. */
export const isRefusedStatement = (error: unknown): boolean =>
  isSqlState(codeOf(error)) && !/^(08(?!P01)|25P|40|53|55|57|58|XX)/.test(codeOf(error));

/** A conflict that passes: the gateway tries again. */
export const temporary = (message: string, hint: string, cause?: unknown): ScriptError =>
  new ScriptError(EXIT.TEMPORARY, 'SOURCE_UNAVAILABLE', message, hint, { cause });
