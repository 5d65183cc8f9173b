import type { Failure, Task } from '@aws-sdk/client-ecs';
import { LakeError } from '@ingesta/kit';
import { ApiError } from '../errors';

const DENIED = /AccessDenied|UnrecognizedClient|ExpiredToken|InvalidSignature|SignatureDoesNotMatch/;

/** A failed call of ECS. `action` is the permission it needs. */
export function ecsError(error: unknown, action: string): ApiError {
  if (error instanceof ApiError) return error;
  const { name, message } = error as Error;
  const unavailable = (text: string, hint: string) =>
    new ApiError('RUNNER_UNAVAILABLE', text, { hint, cause: new Error(`${name}: ${message}`) });
  // There were no credentials to send it with.
  if (error instanceof LakeError) return unavailable(error.message, error.hint);
  if (DENIED.test(name))
    return unavailable(
      `AWS refused ${action}: ${name}`,
      /Expired/.test(name)
        ? 'The credentials of the gateway have expired: renew them.'
        : `Allow ${action} to the gateway's role, and iam:PassRole on the roles of the task definitions (docs/aws.md).`,
    );
  if (name === 'ClusterNotFoundException')
    return unavailable('There is no such ECS cluster', 'Correct ECS_CLUSTER and AWS_REGION.');
  if (/Throttl|TooManyRequests|LimitExceeded|BlockedException/.test(name))
    return unavailable(`ECS takes no more requests now (${name})`, 'POST again later.');
  if (/InvalidParameter|ClientException|PlatformUnknown|UnsupportedFeature/.test(name))
    return unavailable(
      `ECS refused ${action}: ${message}`,
      'Check ECS_SUBNETS, ECS_SECURITY_GROUPS and the task definition.',
    );
  return unavailable(
    `ECS gives no answer: ${name}: ${message}`,
    'Check the network, AWS_REGION, and AWS_ENDPOINT_URL_ECS where it is set.',
  );
}

/** Why ECS placed no task. */
export const notPlaced = ({ reason = 'no reason given', detail }: Failure): ApiError =>
  new ApiError('RUNNER_UNAVAILABLE', `ECS did not place the task: ${[reason, detail].filter(Boolean).join(', ')}`, {
    hint: 'Nothing was started. Check quota and capacity of Fargate in these subnets, then POST again.',
  });

/** Why a task ended before its script ran. */
export function notStarted({ stoppedReason = 'no reason given' }: Task, said: string | undefined): ApiError {
  const reason = said && !stoppedReason.includes(said) ? `${stoppedReason}: ${said}` : stoppedReason;
  const message = `The task never started: ${reason}`;
  if (/CannotPull/.test(reason) && /not found|manifest unknown|does not exist/i.test(reason))
    return new ApiError('IMAGE_NOT_FOUND', message, {
      hint: 'Push the image that the task definition names: docker push, after ./build-images.sh.',
    });
  return new ApiError('RUNNER_UNAVAILABLE', message, { hint: hintFor(reason) });
}

function hintFor(reason: string): string {
  if (/CannotPull/.test(reason))
    return 'Its subnets need a way to the registry (NAT, ECR endpoints, or ECS_ASSIGN_PUBLIC_IP=on), its execution role the ecr: rights.';
  if (/ResourceInitializationError/.test(reason))
    return 'The execution role must be allowed to read the secrets (secretsmanager:GetSecretValue) and its subnets need a way there.';
  if (/Spot|TerminationNotice/i.test(reason)) return 'AWS took the capacity back. Nothing was published; POST again.';
  return 'The service events of the task in the ECS console say more. Nothing was published.';
}
