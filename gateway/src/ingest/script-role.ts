import type { STSClient } from '@aws-sdk/client-sts';
import { LakeError } from '@ingesta/kit';
import { asApiError } from '../as-api-error';
import type { AwsClientSettings } from '../aws-settings';
import { ApiError } from '../errors';
import type { CredentialEnv } from './job';

/** What STS takes of a session's name. */
const MAX_NAME = 64;

/** Gives each run credentials of a role, for what the run itself needs and no longer than `seconds`. */
export class ScriptRole {
  #client: STSClient | undefined;

  constructor(
    private readonly roleArn: string,
    private readonly seconds: number,
    private readonly settings: AwsClientSettings,
  ) {}

  /** Of AWS: `aws`, `aws-cn`, `aws-us-gov`. */
  get partition(): string {
    return this.roleArn.split(':')[1]!;
  }

  /** Throws `LAKE_DENIED` where the gateway may not assume the role. */
  async assume(database: string, runId: string, policy: object): Promise<CredentialEnv> {
    const sdk = await import('./sts-sdk');
    this.#client ??= new sdk.STSClient(this.settings);
    const request = new sdk.AssumeRoleCommand({
      RoleArn: this.roleArn,
      // CloudTrail shows it: which run read or wrote.
      RoleSessionName: `${database.slice(0, MAX_NAME - 1 - runId.length)}-${runId}`,
      DurationSeconds: this.seconds,
      Policy: JSON.stringify(policy),
    });
    try {
      const { Credentials: given } = await this.#client.send(request);
      return {
        AWS_ACCESS_KEY_ID: given!.AccessKeyId!,
        AWS_SECRET_ACCESS_KEY: given!.SecretAccessKey!,
        AWS_SESSION_TOKEN: given!.SessionToken!,
      };
    } catch (error) {
      throw refused(error, this.roleArn);
    }
  }
}

function refused(error: unknown, role: string): ApiError {
  // The gateway had no credentials to ask with.
  if (error instanceof LakeError) return asApiError(error);
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  const cause = new Error(`${name}: ${message}`);
  const status = $metadata?.httpStatusCode;
  if (status === undefined || status >= 500 || /Throttl/.test(name))
    return new ApiError('LAKE_UNAVAILABLE', `STS gives no answer: ${name}: ${message}`, {
      hint: 'Check the network, AWS_REGION, and AWS_ENDPOINT_URL_STS where it is set, then POST again.',
      cause,
    });
  if (/Expired/.test(name))
    return new ApiError('LAKE_DENIED', "The gateway's own AWS credentials have expired", {
      hint: 'Renew the session token, or give the gateway a role, then POST again.',
      cause,
    });
  const hint = /DurationSeconds/.test(message)
    ? "SCRIPT_ROLE_SECONDS is more than the role's longest session; an hour is the limit where the gateway's own credentials are a role's."
    : "The role must trust the gateway's identity, which needs sts:AssumeRole on it.";
  return new ApiError('LAKE_DENIED', `Role ${role} cannot be assumed: ${name}: ${message}`, { hint, cause });
}
