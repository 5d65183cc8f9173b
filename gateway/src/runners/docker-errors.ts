import { within } from '@ingesta/kit';
import { ApiError } from '../errors';
import { graceFor, untilAborted } from '../until-aborted';

/** The parts of an error of docker-modem that we look at. */
interface EngineError {
  statusCode?: number;
  code?: string;
  json?: { message?: string };
  message?: string;
}

/** For one call to the engine that is not meant to take long. */
const ANSWER_MS = 10_000;
/** For one that the engine needs its disk for, which may stall: a launch waits for that rather than fail. */
const PATIENCE_MS = 60_000;
/** For the same once the launch is given up: less than a gateway that is told to stop has left (main.ts). */
const LAST_ANSWER_MS = 6_000;

/** The answer of the engine; a daemon that accepts calls and answers none is as good as absent. */
export const answered = <T>(call: Promise<T>, ms = ANSWER_MS): Promise<T> =>
  within(ms, call, () => new ApiError('RUNNER_UNAVAILABLE', `The Docker daemon gave no answer within ${ms / 1000} s`));

/** The same for the calls of a launch: with patience, but for some seconds only once `signal` is aborted; then its reason is thrown. */
export const patientlyAnswered = <T>(call: Promise<T>, signal: AbortSignal): Promise<T> =>
  untilAborted(answered(call, PATIENCE_MS), signal).catch(graceFor(call, signal, LAST_ANSWER_MS, () => signal.reason));

export const statusOf = (error: unknown): number | undefined => (error as EngineError).statusCode;

/** Any failure of a call to the engine, as the error that says what is wrong with the engine. */
export function engineError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { code, statusCode, json, message } = error as EngineError;
  const said = json?.message ?? message ?? String(error);
  if (code === 'EACCES') {
    return new ApiError('RUNNER_UNAVAILABLE', 'This user may not use the Docker socket', {
      hint: 'Add the user to the docker group, or set DOCKER_GID to the group of /var/run/docker.sock (stat -c %g).',
      cause: error,
    });
  }
  if (code === 'ENOENT') {
    return new ApiError('RUNNER_UNAVAILABLE', 'There is no Docker socket here', {
      hint: 'Start Docker, mount /var/run/docker.sock into the gateway, or set DOCKER_HOST. RUNNER=process needs none.',
      cause: error,
    });
  }
  if (statusCode === undefined)
    return new ApiError('RUNNER_UNAVAILABLE', `The Docker daemon does not answer (${said})`, { cause: error });
  return new ApiError('RUNNER_UNAVAILABLE', `The Docker daemon refused: ${said}`, {
    hint: 'See the daemon log; DOCKER_NETWORK must exist, and limits must be ones this host can enforce.',
    cause: error,
  });
}
