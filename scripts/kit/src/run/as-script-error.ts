import { EXIT } from '../contract/exit-codes';
import type { Job } from '../contract/job';
import type { SourceDescription } from '../contract/source-description';
import { ScriptError } from '../errors';
import { LakeError, type LakeFailure } from '../lake/lake';
import { loopbackVariables } from './loopback';
import { resolveEnv } from './resolve-env';

const LAKE_CODES: Record<LakeFailure, string> = {
  denied: 'LAKE_DENIED',
  unavailable: 'LAKE_UNAVAILABLE',
  precondition: 'SCRIPT_FAILED',
  aborted: 'RUN_CANCELLED',
};

/** Any failure as the one that is printed: code, message, hint, exit code. */
export function asScriptError(
  error: unknown,
  description: SourceDescription,
  job: Job | null,
  env: Readonly<Record<string, string | undefined>>,
): ScriptError {
  if (error instanceof LakeError) {
    const exit = error.kind === 'aborted' ? EXIT.STOPPED : EXIT.LAKE;
    return new ScriptError(exit, LAKE_CODES[error.kind], error.message, error.hint, { cause: error });
  }
  if (error instanceof ScriptError) return withLoopbackHint(error, description, job, env);
  const hint = 'See the script log for the cause; if it is a defect of Ingesta, please report it.';
  const message = error instanceof Error ? error.message : String(error);
  return new ScriptError(EXIT.INTERNAL, 'SCRIPT_FAILED', message, hint, { cause: error });
}

/** Inside a container `localhost` is the container: the most common mistake deserves its own words. */
function withLoopbackHint(
  error: ScriptError,
  description: SourceDescription,
  job: Job | null,
  env: Readonly<Record<string, string | undefined>>,
): ScriptError {
  if (error.code !== 'SOURCE_UNAVAILABLE' || env.INGESTA_IMAGE !== '1') return error;
  const { values } = resolveEnv(description, job?.env ?? {});
  const hosts = description.env.filter((variable) => variable.host).map((variable) => variable.name);
  const [found] = loopbackVariables(hosts, values);
  if (!found) return error;
  const hint =
    `${found.name} names ${found.host}, which is this container itself. ` +
    "Use host.docker.internal (with --add-host=host.docker.internal:host-gateway on Linux), the host's address, or --network host.";
  return new ScriptError(error.exitCode, error.code, error.message, hint, { cause: error.cause });
}
