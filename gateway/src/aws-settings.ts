import { awsCredentials, awsRegion } from '@ingesta/kit';
import type { Env } from './config';

/** How long a service may be silent, in ms. Its answers are small, and four tries make a minute. */
export const SERVICE_SILENCE = { connectionTimeout: 5_000, socketTimeout: 15_000 };

/** What every client of the AWS SDK is made with. */
export interface AwsClientSettings {
  region: string;
  /** Only where another server stands in for AWS. */
  endpoint?: string;
  /** Those of the environment, else what the SDK's own chain finds, looked up again before it ends. */
  credentials: ReturnType<typeof awsCredentials>;
  maxAttempts: number;
  /** When a request counts as unanswered. */
  requestHandler: typeof SERVICE_SILENCE;
}

/** For one service: `ATHENA`, `GLUE`. The names are those that the AWS SDKs and the lake use. */
export function awsSettings(env: Env, service: string): AwsClientSettings {
  const endpoint = env[`AWS_ENDPOINT_URL_${service}`] || env.AWS_ENDPOINT_URL;
  return {
    region: awsRegion(env),
    maxAttempts: 4,
    requestHandler: SERVICE_SILENCE,
    credentials: awsCredentials(env),
    ...(endpoint && { endpoint }),
  };
}
