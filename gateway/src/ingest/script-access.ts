import { mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Env } from '../config';
import { ApiError } from '../errors';
import type { CredentialEnv, LakeFolder } from './job';

/**
 * The credentials a script gets: those of the environment, else what the AWS SDK's own chain finds (profile, web
 * identity, container or instance role), resolved now. Empty for a folder lake.
 */
export async function scriptCredentials(env: Env): Promise<CredentialEnv> {
  if (env.LAKE_URL) return {};
  if (env.AWS_ACCESS_KEY_ID && env.AWS_SECRET_ACCESS_KEY) {
    return credentialEnv(env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN);
  }
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  try {
    // A mounted ~/.aws with short-lived tokens changes under us: read it again each time.
    const found = await fromNodeProviderChain({ ignoreCache: true })();
    return credentialEnv(found.accessKeyId, found.secretAccessKey, found.sessionToken);
  } catch (error) {
    throw new ApiError('LAKE_DENIED', 'No AWS credentials were found', {
      hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, mount ~/.aws, or give the host a role.',
      cause: error,
    });
  }
}

const credentialEnv = (id: string, secret: string, token: string | undefined): CredentialEnv => ({
  AWS_ACCESS_KEY_ID: id,
  AWS_SECRET_ACCESS_KEY: secret,
  ...(token ? { AWS_SESSION_TOKEN: token } : {}),
});

/** The folder of a folder lake, made if absent, with its owner: a container writes as that user. Null for S3. */
export async function lakeFolder(env: Env): Promise<LakeFolder | null> {
  if (!env.LAKE_URL) return null;
  const path = fileURLToPath(env.LAKE_URL);
  try {
    await mkdir(path, { recursive: true });
    const { uid, gid } = await stat(path);
    return { path, owner: process.platform === 'win32' ? null : `${uid}:${gid}` };
  } catch (error) {
    throw new ApiError('LAKE_DENIED', `The lake's folder cannot be used: ${(error as Error).message}`, {
      hint: 'LAKE_URL must name a folder that the gateway may create or write.',
      cause: error,
    });
  }
}
