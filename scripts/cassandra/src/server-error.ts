import { configError, failed, refused, ScriptError, unavailable } from '@ingesta/kit';
import { errors } from 'cassandra-driver';
import { AnswerTooLarge } from './raw-rows';
import { ValueError } from './value-error';

/** Error codes of the protocol. */
const CODE = {
  badCredentials: 0x0100,
  unavailable: 0x1000,
  overloaded: 0x1001,
  bootstrapping: 0x1002,
  readTimeout: 0x1200,
  readFailure: 0x1300,
  syntax: 0x2000,
  unauthorized: 0x2100,
  invalid: 0x2200,
} as const;

const codeOf = (error: unknown): number | undefined => (error instanceof errors.ResponseError ? error.code : undefined);
const told = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  // "All host(s) tried …" says nothing; what each of them said does.
  const inner = Object.values((error as errors.NoHostAvailableError).innerErrors ?? {});
  const reasons = inner.map((one) => (one instanceof Error ? one.message : String(one)));
  return reasons.length > 0 ? [...new Set(reasons)].join('; ') : error.message;
};

/** The failures inside "no host available", or the failure itself. */
const causesOf = (error: unknown): unknown[] =>
  error instanceof errors.NoHostAvailableError ? [error, ...Object.values(error.innerErrors ?? {})] : [error];

const isLogin = (error: unknown): boolean =>
  error instanceof errors.AuthenticationError || codeOf(error) === CODE.badCredentials;

/** What a failed read of a page means: `slow` and `silent` (nobody answered) are worth another try with less. */
export function judgeRead(error: unknown): 'slow' | 'silent' | 'final' {
  if (error instanceof errors.OperationTimedOutError) return 'silent';
  if (error instanceof AnswerTooLarge) return 'slow';
  switch (codeOf(error)) {
    case CODE.readTimeout:
    case CODE.readFailure:
    case CODE.overloaded:
      return 'slow';
    default:
      return 'final';
  }
}

/** A node that is spoken to in the wrong way, with TLS or without, hangs up or waits, and says nothing. */
export const UNREACHED_HINT =
  'Is it up, and are CASSANDRA_HOST and CASSANDRA_PORT right as seen from here? Does it speak TLS just if CASSANDRA_SSL_MODE says so?';

/** What a failed attempt to connect to `where` means. */
export function connectError(cause: unknown, where: string): ScriptError {
  if (cause instanceof ScriptError) return cause;
  if (causesOf(cause).some(isLogin)) {
    const hint = 'Check CASSANDRA_USER and CASSANDRA_PASSWORD, and that the role may log in.';
    return refused(`Cassandra at ${where} refused the user: ${told(cause)}`, hint, cause);
  }
  if (cause instanceof errors.ArgumentError) {
    return configError(`Cassandra at ${where}: ${told(cause)}`, 'Check CASSANDRA_LOCAL_DC.');
  }
  if (causesOf(cause).some(isTls)) {
    const hint =
      'Check CASSANDRA_SSL_CA and that the nodes speak TLS; CASSANDRA_SSL_MODE=verify-ca does not compare names, require checks no certificate.';
    return configError(`The TLS handshake with Cassandra at ${where} failed: ${told(cause)}`, hint);
  }
  return unavailable(`Cassandra at ${where} cannot be reached: ${told(cause)}`, UNREACHED_HINT, cause);
}

const isTls = (error: unknown): boolean =>
  /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|EPROTO)/.test((error as { code?: string })?.code ?? '');

/** What a failed check of a statement named by `what` means; `refuse` says that the statement is wrong. */
export function refusalOf(cause: unknown, what: string, refuse: (problem: string) => ScriptError): ScriptError {
  const code = codeOf(cause);
  return code === CODE.syntax || code === CODE.invalid ? refuse(told(cause)) : queryError(cause, what);
}

/** What an error during the work named by `what` (`Table users`) means. */
export function queryError(cause: unknown, what: string): ScriptError {
  if (cause instanceof ScriptError) return cause;
  if (cause instanceof ValueError) {
    const hint = 'Was the table or a type altered while the run was under way? Then run again.';
    return failed(`${what}: ${cause.message}`, hint, cause);
  }
  const text = `${what}: ${told(cause)}`;
  switch (codeOf(cause)) {
    case CODE.unauthorized:
      return refused(text, 'Grant SELECT on it, or leave it out with CASSANDRA_TABLES.', cause);
    case CODE.invalid:
      return failed(text, 'It was dropped or altered while the run was under way: run again.', cause);
    case CODE.readTimeout:
    case CODE.readFailure: {
      const hint =
        'A single partition takes too long, or has too many tombstones: see the log of the nodes; tombstone_failure_threshold and range_request_timeout are the limits.';
      return failed(text, hint, cause);
    }
    case CODE.unavailable: {
      const hint = 'Too few replicas are up for CASSANDRA_CONSISTENCY. Nothing of it was published; run again.';
      return unavailable(text, hint, cause);
    }
    case CODE.overloaded:
    case CODE.bootstrapping:
      return unavailable(text, 'Nothing of it was published. Run again when the nodes have less to do.', cause);
    case undefined:
      break;
    default:
      return failed(text, 'See the log of the nodes.', cause);
  }
  if (cause instanceof errors.DriverError || (cause as { isSocketError?: boolean })?.isSocketError) {
    const hint = 'Nothing of it was published. Run again once the cluster is back; the logs of its nodes say more.';
    return unavailable(`${what}: the connection was lost mid-way: ${told(cause)}`, hint, cause);
  }
  return failed(text, 'This is a defect: please report it.', cause);
}
