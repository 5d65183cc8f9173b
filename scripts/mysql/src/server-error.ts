import { configError, EXIT, failed, JsonSyntaxError, refused, ScriptError, unavailable } from '@ingesta/kit';

/** Errors by number: MariaDB's own have no name in the driver. */
const ERRNO = {
  unknownDatabase: [1049],
  // Wrong password or user, no right to the database, host blocked or not allowed, account locked or expired, a way to
  // log in that only one side knows.
  login: [1044, 1045, 1129, 1130, 1227, 1251, 1524, 1698, 1820, 1862, 3118, 3955, 4151],
  // No SELECT on a table, on a column.
  denied: [1142, 1143],
  // Too many connections: of all, of this user, by the user's quota.
  full: [1040, 1203, 1226],
  // The server goes down, the query or the connection was killed, idle for too long, broken packets and sockets.
  gone: [1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1317, 1927, 4031],
  // Unknown column, unknown table (also: not in the engine), definition newer than the snapshot or than the statement.
  changed: [1054, 1051, 1146, 1412, 1615, 1932],
  // Lock wait timeout, deadlock.
  busy: [1205, 1213],
  // Too many prepared statements, in all connections together.
  statements: [1461],
  // The limit of a query's time: MariaDB's, MySQL's.
  timeout: [1969, 3024],
} satisfies Record<string, number[]>;

/** A connection that never came about or broke: Node or the driver gives it a code, and no number of the server's. */
const isLost = (error: DriverError): boolean => error.code !== undefined && !((error.errno ?? 0) > 0);

interface DriverError extends Error {
  code?: string;
  errno?: number;
}

const asDriverError = (error: unknown): DriverError =>
  typeof error === 'object' && error !== null && 'message' in error ? (error as DriverError) : new Error(String(error));
const has = (kind: keyof typeof ERRNO, error: DriverError) => ERRNO[kind].includes(error.errno ?? 0);
/** An AggregateError (every address refused) has a code and no message. */
const told = (error: DriverError) => error.message || error.code || 'unknown error';
const numbered = (error: DriverError) => (error.errno === undefined ? told(error) : `${told(error)} (${error.errno})`);

/** What a failed attempt to connect to `where` (`host:port`) means. */
export function connectError(cause: unknown, where: string): ScriptError {
  if (cause instanceof ScriptError) return cause;
  const error = asDriverError(cause);
  if (has('unknownDatabase', error)) {
    return configError(`MySQL at ${where}: ${told(error)}`, 'Check MYSQL_DATABASE; names may be case-sensitive.');
  }
  if (has('login', error) || /^(AUTH_SWITCH|MYSQL_CLEAR_PASSWORD)/.test(error.code ?? '')) {
    const hint = 'Check MYSQL_USER, MYSQL_PASSWORD, and that the user may log in from here and use MYSQL_DATABASE.';
    return refused(`MySQL at ${where} refused the user: ${told(error)}`, hint, error);
  }
  if (error.code === 'HANDSHAKE_NO_SSL_SUPPORT') {
    return configError(`MySQL at ${where} does not speak TLS`, 'Set MYSQL_SSL_MODE=disable, or enable TLS there.');
  }
  if (error.code === 'HANDSHAKE_SSL_ERROR') {
    const hint =
      'Check MYSQL_SSL_CA; MYSQL_SSL_MODE=verify-ca does not compare the host name, require checks no certificate.';
    return configError(`The TLS handshake with MySQL at ${where} failed: ${told(error)}`, hint);
  }
  if (has('full', error)) {
    const hint = 'All its connections are taken: wait, or raise max_connections (max_user_connections).';
    return unavailable(`MySQL at ${where} takes no more connections: ${told(error)}`, hint, error);
  }
  if (isLost(error) || has('gone', error)) {
    const hint = 'Is the server up, and are MYSQL_HOST and MYSQL_PORT right as seen from here?';
    return unavailable(`MySQL at ${where} cannot be reached: ${told(error)}`, hint, error);
  }
  return failed(`MySQL at ${where} failed: ${numbered(error)}`, 'See the log of the server.', error);
}

/** What an error during the work named by `what` (`Table users`) means. */
export function queryError(cause: unknown, what: string): ScriptError {
  if (cause instanceof ScriptError) return cause;
  if (cause instanceof JsonSyntaxError) {
    const hint = 'Correct the value (json_valid finds it), or leave the column out with SENSITIVE_COLUMNS.';
    return failed(`${what}: ${cause.message}`, hint, cause);
  }
  const error = asDriverError(cause);
  if (isLost(error) || has('gone', error)) {
    const hint = 'Nothing of it was published. Run again once the server is back; its log says why it left.';
    return unavailable(`${what}: the connection was lost mid-way: ${told(error)}`, hint, error);
  }
  const text = `${what}: ${numbered(error)}`;
  if (has('changed', error)) {
    return failed(text, 'It was dropped, renamed or altered while the run was under way: run again.', error);
  }
  if (has('denied', error) || has('login', error)) {
    return refused(text, 'Grant SELECT on it, or leave it out with MYSQL_TABLES.', error);
  }
  if (has('busy', error)) {
    const hint = 'Somebody alters or locks the table; another attempt may find it free.';
    return new ScriptError(EXIT.TEMPORARY, 'SOURCE_UNAVAILABLE', text, hint, { cause: error });
  }
  if (has('statements', error)) {
    const hint = 'Its connections together hold too many: wait, or raise max_prepared_stmt_count.';
    return unavailable(text, hint, error);
  }
  if (has('timeout', error)) {
    return failed(text, 'The server limits the time of a query: raise max_execution_time (max_statement_time).', error);
  }
  return failed(text, 'See the log of the server.', error);
}
