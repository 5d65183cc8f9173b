import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type EnvVariable, isLakeFailure } from '@ingesta/kit';
import type { AwsClientSettings } from '../aws-settings';
import type { Env } from '../config';
import { ApiError } from '../errors';
import type { LaunchableSource } from '../runners/runner';

/** What RDS calls the parts of a connection in its secrets, and how our variables end. */
const RDS_NAMES: Readonly<Record<string, string>> = {
  host: 'HOST',
  port: 'PORT',
  username: 'USER',
  password: 'PASSWORD',
  dbname: 'DATABASE',
};

/** Variables of a source under their main names. */
export type FoundSecrets = Readonly<Record<string, string>>;

/**
 * Looks a source's variables up in AWS Secrets Manager: a JSON secret per source, with the names that RDS uses, or those of
 * the variables. Asked for each launch, so that a rotated secret counts from the next run on.
 */
export class SecretsManager {
  #client: SecretsManagerClient | undefined;

  constructor(
    /** The secret of source x is `<prefix>x`, unless `<PREFIX>SECRET_ID` names another. */
    private readonly prefix: string,
    private readonly env: Env,
    private readonly settings: AwsClientSettings,
  ) {}

  /** Empty where the source has no secret and none was named. Throws `ApiError`. */
  async find({ name, envPrefix, description }: LaunchableSource): Promise<FoundSecrets> {
    const setting = `${envPrefix}${description.env_prefix}SECRET_ID`;
    const named = this.env[setting];
    const id = named || this.prefix + name;
    const text = await this.#read(id, name);
    if (text === null && named) throw unusable(name, `There is no secret ${id}`, `Correct ${setting}.`);
    return text === null ? {} : variablesOf(parse(text, id, name), description.env, description.env_prefix);
  }

  /** Null where there is no such secret. */
  async #read(SecretId: string, source: string): Promise<string | null> {
    const sdk = await import('./secrets-manager-sdk');
    this.#client ??= new sdk.SecretsManagerClient(this.settings);
    try {
      const { SecretString } = await this.#client.send(new sdk.GetSecretValueCommand({ SecretId }));
      // A binary secret has none; it is no JSON either.
      return SecretString ?? '';
    } catch (error) {
      // There were no credentials to ask with.
      if (isLakeFailure(error, 'denied')) throw unusable(source, error.message, error.hint, error);
      const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      if (name === 'ResourceNotFoundException') return null;
      const cause = new Error(`${name}: ${message}`);
      if ($metadata?.httpStatusCode !== undefined && $metadata.httpStatusCode < 500 && !/Throttl/.test(name))
        throw unusable(source, `AWS refused to tell secret ${SecretId}: ${name}`, REFUSED, cause);
      throw new ApiError('SOURCE_UNAVAILABLE', `Secrets Manager gives no answer: ${name}`, {
        hint: 'Check the network, AWS_REGION, and AWS_ENDPOINT_URL_SECRETS_MANAGER where it is set, then POST again.',
        database: source,
        cause,
      });
    }
  }
}

const REFUSED =
  "Allow secretsmanager:GetSecretValue on it to the gateway's role (and kms:Decrypt on its key), or renew credentials that have expired.";

const unusable = (database: string, message: string, hint: string, cause?: Error): ApiError =>
  new ApiError('SOURCE_CONFIG', message, { hint, database, ...(cause && { cause }) });

function parse(text: string, id: string, source: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch {
    // Told below, and without the parser's words: they repeat what stands there.
  }
  const hint = 'It must be like {"username":"…","password":"…","host":"…"}, as RDS writes it.';
  throw unusable(source, `Secret ${id} holds no JSON object`, hint);
}

/** The fields that are variables of the source; others (`engine`, an id) are nobody's business. */
function variablesOf(secret: Record<string, unknown>, variables: readonly EnvVariable[], prefix: string): FoundSecrets {
  const found: Record<string, string> = {};
  for (const [field, value] of Object.entries(secret)) {
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    const wanted = RDS_NAMES[field] ? prefix + RDS_NAMES[field] : field;
    const variable = variables.find(({ name, aliases }) => name === wanted || aliases.includes(wanted));
    if (variable) found[variable.name] = String(value);
  }
  return found;
}
