import { LakeError } from '@ingesta/kit';
import { asApiError } from './as-api-error';
import { ApiError } from './errors';

const DENIED = /AccessDenied|UnrecognizedClient|ExpiredToken|InvalidSignature|SignatureDoesNotMatch/;

/** A failed call of an AWS service as the gateway tells it. `rights`: the permissions that such calls need. */
export function awsError(error: unknown, service: string, rights: string): ApiError {
  // There were no credentials to send it with.
  if (error instanceof LakeError) return asApiError(error);
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  if (DENIED.test(name) || $metadata?.httpStatusCode === 403)
    return new ApiError('LAKE_DENIED', `${service} refused the gateway's credentials: ${name}`, {
      hint: `Needed: ${rights}; or the credentials have expired.`,
      cause: error,
    });
  if ($metadata?.httpStatusCode !== undefined && $metadata.httpStatusCode < 500 && !/Throttl|TooMany/.test(name))
    return new ApiError('INTERNAL', `${service} refused a request: ${name}: ${message}`, {
      hint: `Check the settings of ${service} and the AWS region.`,
      cause: error,
    });
  return new ApiError('LAKE_UNAVAILABLE', `${service} gives no answer: ${name}`, {
    hint: 'Check the network, AWS_REGION, and AWS_ENDPOINT_URL where it is set.',
    cause: error,
  });
}
