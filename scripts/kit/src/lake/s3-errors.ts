import { LakeError } from './lake';

/** What the failed call was about, for the message. */
export interface S3CallContext {
  bucket: string;
  /** Custom endpoint, if any. */
  endpoint: string | undefined;
  /** Permission the call needs, e.g. `s3:PutObject`. */
  permission: string;
}

interface Failure {
  name: string;
  message: string;
  code: string | undefined;
  status: number | undefined;
}

const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired']);
const CREDENTIALS = new Set([
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
  'XAdminUserNotFound', // versitygw's InvalidAccessKeyId, with status 404
]);
const REGION = new Set(['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException']);
/** Another write of the same object is under way. */
export const CONFLICTS: ReadonlySet<string> = new Set(['ConditionalRequestConflict', 'OperationAborted']);
/** `NoSuchKey` is what a write with If-Match gets when the object is gone. */
const TAKEN = new Set(['PreconditionFailed', ...CONFLICTS, 'NoSuchKey']);
/** Failures of the moment that S3 also sends with status 400, or inside a 200. */
const MOMENT = new Set(['RequestTimeout', 'InternalError', 'SlowDown', 'ServiceUnavailable', 'NoSuchUpload']);

/** Whether the error says that the object or the upload (not the bucket) does not exist. */
export const isAbsent = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound' || error.name === 'NoSuchUpload');

const read = (error: unknown): Failure => {
  const { name, message, code, $metadata } = (error ?? {}) as Partial<Failure> & {
    $metadata?: { httpStatusCode?: number };
  };
  return { name: name ?? 'Error', message: message ?? String(error), code, status: $metadata?.httpStatusCode };
};

/**
 * The `LakeError` for a failed S3 call. By name first: S3 uses one status for several things and some errors come
 * inside a 200. The cause is a plain copy, because S3's own error repeats session tokens in its fields.
 */
export const toLakeError = (error: unknown, { bucket, endpoint, permission }: S3CallContext): LakeError => {
  if (error instanceof LakeError) return error;
  const { name, message, code, status } = read(error);
  const options = { cause: new Error(`${name}: ${message}`) };
  const told = `${code ?? name}${status ? `, HTTP ${status}` : ''}`;
  const denied = (text: string, hint: string) => new LakeError('denied', `${text} (${told})`, hint, options);

  if (TAKEN.has(name) || status === 412)
    return new LakeError(
      'precondition',
      `the object exists or was changed meanwhile (${told})`,
      'Read it again.',
      options,
    );
  if (EXPIRED.has(name))
    return denied(
      'the AWS credentials have expired',
      'Log in again (aws sso login) or renew the session token, then retry. SCRIPT_CREDENTIALS=own lets a long run take up renewed ones.',
    );
  if (CREDENTIALS.has(name))
    return denied(
      `the S3 server refused the credentials for bucket ${bucket}`,
      'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: they must belong together.',
    );
  if (name === 'RequestTimeTooSkewed')
    return denied("this host's clock differs too much from the S3 server's", 'Set the clock (NTP), then retry.');
  if (REGION.has(name) || status === 301)
    return denied(`bucket ${bucket} is in another region`, "Set AWS_REGION to the bucket's region.");
  if (name === 'NoSuchBucket')
    return denied(`there is no bucket ${bucket}`, 'Create it or correct AWS_BUCKET_NAME and AWS_ENDPOINT_URL_S3.');
  if (status === 403)
    return denied(
      `not allowed to ${permission} in bucket ${bucket}`,
      `Grant ${permission} on the bucket and its objects. Without s3:ListBucket S3 answers 403 for objects that do not exist, too.`,
    );
  if (status !== undefined && status >= 400 && status < 500 && status !== 429 && !MOMENT.has(name))
    return denied(
      `bucket ${bucket} refused ${permission}: ${message}`,
      'Expired credentials or a server that is not S3-compatible look like this; check both.',
    );
  return new LakeError(
    'unavailable',
    `the S3 server ${endpoint ?? 'of AWS'} cannot be used right now (${told}: ${message})`,
    endpoint
      ? 'Check that AWS_ENDPOINT_URL_S3 can be reached from here (inside a container, localhost is the container itself), then retry.'
      : 'Check the network and health.aws.amazon.com, then retry.',
    options,
  );
};
