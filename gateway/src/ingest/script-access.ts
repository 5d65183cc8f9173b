import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type AwsKeys, awsKeys, foundCredentials, makeFolder } from '@ingesta/kit';
import { awsSettings } from '../aws-settings';
import type { Config, Env } from '../config';
import { ApiError } from '../errors';
import type { LaunchableSource } from '../runners/runner';
import type { CredentialEnv, LakeFolder } from './job';
import { scriptPolicy } from './script-policy';
import { ScriptRole } from './script-role';

/** Finds the credentials of one launch. */
export type Credentials = (source: LaunchableSource, runId: string) => Promise<CredentialEnv>;

/**
 * How scripts come by their credentials: none where they look for their own (a folder lake needs none), those of a role
 * narrowed to the run, or the gateway's, resolved anew for each launch.
 */
export function credentialsFor({ env, scriptCredentials, scriptRole, ecs }: Config): Credentials {
  if (env.LAKE_URL || ecs !== null || scriptCredentials === 'own') return async () => ({});
  if (scriptRole === null) return () => gatewayCredentials(env);
  const role = new ScriptRole(scriptRole.arn, scriptRole.seconds, awsSettings(env, 'STS'));
  return (source, runId) => role.assume(source.name, runId, scriptPolicy(env, source, runId, role.partition));
}

/** Those of the environment, else what the AWS SDK's own chain finds (profile, web identity, container or instance role). */
export const gatewayCredentials = async (env: Env): Promise<CredentialEnv> =>
  credentialEnv(awsKeys(env) ?? (await foundCredentials(env)));

const credentialEnv = (keys: AwsKeys): CredentialEnv => ({
  AWS_ACCESS_KEY_ID: keys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  ...(keys.sessionToken ? { AWS_SESSION_TOKEN: keys.sessionToken } : {}),
});

/** The folder of a folder lake, made if absent, with its owner: a container writes as that user. Null for S3. */
export async function lakeFolder(env: Env): Promise<LakeFolder | null> {
  if (!env.LAKE_URL) return null;
  const path = fileURLToPath(env.LAKE_URL);
  try {
    await makeFolder(path);
    const { uid, gid } = await stat(path);
    return { path, owner: process.platform === 'win32' ? null : `${uid}:${gid}` };
  } catch (error) {
    throw new ApiError('LAKE_DENIED', `The lake's folder cannot be used: ${(error as Error).message}`, {
      hint: 'LAKE_URL must name a folder that the gateway may create or write.',
      cause: error,
    });
  }
}
