import { AWS_SILENCE, awsCredentials, awsRegion } from '@ingesta/kit';
import type { Env } from './config';

/** What every client of the AWS SDK is made with. */
export interface AwsClientSettings {
  region: string;
  /** Only where another server stands in for AWS. */
  endpoint?: string;
  /** Those of the environment, else what the SDK's own chain finds, looked up again before it ends. */
  credentials: ReturnType<typeof awsCredentials>;
  maxAttempts: number;
  /** When a request counts as unanswered. */
  requestHandler?: typeof AWS_SILENCE;
}

/** For one service: `ATHENA`, `GLUE`. The names are those that the AWS SDKs and the lake use. */
export function awsSettings(env: Env, service: string): AwsClientSettings {
  const endpoint = env[`AWS_ENDPOINT_URL_${service}`] || env.AWS_ENDPOINT_URL;
  return {
    region: awsRegion(env),
    maxAttempts: 4,
    requestHandler: AWS_SILENCE,
    credentials: awsCredentials(env),
    ...(endpoint && { endpoint }),
  };
}
