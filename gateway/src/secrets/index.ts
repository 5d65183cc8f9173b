import { awsSettings } from '../aws-settings';
import type { Config } from '../config';
import type { LaunchableSource } from '../runners/runner';
import { type FoundSecrets, SecretsManager } from './secrets-manager';

/** Where a source's secrets are looked up besides the environment: nowhere, unless `USE_SECRETS_MANAGER` is set. */
export function secretsOf({ secretsPrefix, env }: Config): (source: LaunchableSource) => Promise<FoundSecrets> {
  if (secretsPrefix === null) return async () => ({});
  const manager = new SecretsManager(secretsPrefix, env, awsSettings(env, 'SECRETS_MANAGER'));
  return (source) => manager.find(source);
}
