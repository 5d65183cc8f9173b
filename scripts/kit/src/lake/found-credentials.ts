import { within } from '../within';
import { type AwsKeys, awsKeys } from './aws-keys';
import { AWS_SILENCE } from './aws-silence';
import { LakeError } from './lake';

type Env = Readonly<Record<string, string | undefined>>;

/** Keys that are good until then. */
export interface FoundCredentials extends AwsKeys {
  expiration: Date;
}

/**
 * Credentials without an end are taken to have this one. The SDK asks again five minutes before, so they are read again
 * every ten seconds: session tokens in a mounted `~/.aws` rotate, and do not say when.
 */
const REREAD_MS = 310_000;

/** In all: the program of a profile and the agent of a container are asked without any end. */
const PATIENCE_MS = 120_000;

/**
 * The SDK asks the instance once, and gives it a second: too little for a machine that is busy with an export. Where there
 * is no such service at all, this is how much later that is known, twice.
 */
const INSTANCE_PATIENCE_MS = 3_000;

/** The region of every AWS service, where none has a variable of its own. */
export const awsRegion = (env: Env): string => env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1';

/** What a client of the SDK is made with: the keys of the environment, else what the chain finds, looked up again before it ends. */
export const awsCredentials = (env: Env): AwsKeys | (() => Promise<FoundCredentials>) =>
  awsKeys(env) ?? (() => foundCredentials(env));

/** What was found last with each environment, whoever asked: a process has one, and several clients. */
const lastFound = new WeakMap<Env, FoundCredentials>();

/**
 * What the AWS SDK's own chain finds at this moment: a profile, web identity, the role of a container or an instance. Made
 * anew for each call, since the chain would keep credentials without an end for ever. Where nobody gives any for a moment,
 * those of the last time go on until they end: they are asked for again minutes before. Throws `LakeError`.
 */
export async function foundCredentials(env: Env, patienceMs = PATIENCE_MS): Promise<FoundCredentials> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  const profile = env.AWS_PROFILE;
  try {
    const chain = fromNodeProviderChain({
      ignoreCache: true,
      timeout: INSTANCE_PATIENCE_MS,
      clientConfig: { region: awsRegion(env), requestHandler: AWS_SILENCE },
      ...(profile && { profile }),
    });
    const given = await within(patienceMs, chain(), () => new Error(`no answer within ${patienceMs / 1000} s`));
    const found = { ...given, expiration: given.expiration ?? new Date(Date.now() + REREAD_MS) };
    lastFound.set(env, found);
    return found;
  } catch (error) {
    const last = lastFound.get(env);
    const failure = notFound(error as Failure, last !== undefined);
    // Who is refused, or told that a login has ended, does not go on.
    if (last && failure.kind === 'unavailable' && last.expiration.getTime() > Date.now()) return last;
    throw failure;
  }
}

type Failure = Error & { code?: string; path?: string; $metadata?: { httpStatusCode?: number } };

function notFound({ name, message, code, path, $metadata }: Failure, before: boolean): LakeError {
  // A copy: STS's own error repeats parts of the request.
  const options = { cause: new Error(`${name}: ${message}`) };
  const status = $metadata?.httpStatusCode;
  if (/Expired/i.test(name) || /\bexpired\b/i.test(message))
    return new LakeError(
      'denied',
      `the AWS credentials have expired (${code ?? name})`,
      'Log in again (aws sso login), renew the session token in ~/.aws, or the token of AWS_WEB_IDENTITY_TOKEN_FILE, then retry.',
      options,
    );
  if (path !== undefined)
    return new LakeError(
      'denied',
      `the file with AWS credentials cannot be read (${code}): ${path}`,
      'AWS_WEB_IDENTITY_TOKEN_FILE must name a file that this user may read.',
      options,
    );
  if (status !== undefined && status < 500 && !/Throttl/.test(name))
    return new LakeError(
      'denied',
      `STS refuses the role: ${name}: ${message}`,
      'Check AWS_ROLE_ARN, or role_arn of the profile; the role must trust whoever assumes it.',
      options,
    );
  if (status !== undefined || !/^(CredentialsProvider|TokenProvider|Provider)Error$/.test(name))
    return new LakeError(
      'unavailable',
      `STS gives no AWS credentials: ${name}: ${message}`,
      'Check the network, AWS_REGION, and AWS_ENDPOINT_URL_STS where it is set, then retry.',
      options,
    );
  if (before)
    return new LakeError(
      'unavailable',
      'whoever gave AWS credentials before gives none at the moment',
      'Check the metadata service of the instance, the agent of the container, or ~/.aws, whichever it was, then retry.',
      options,
    );
  return new LakeError(
    'denied',
    'no AWS credentials were found',
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, mount ~/.aws, or give the host a role; aws sts get-caller-identity tells.',
    options,
  );
}
