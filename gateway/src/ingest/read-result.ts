import { isDeepStrictEqual } from 'node:util';
import { EXIT, type Job, type Lake, type ScriptFailure, type ScriptOutput, scriptOutputSchema } from '@ingesta/kit';
import { ApiError, type ErrorCode, isErrorCode } from '../errors';
import { readResultCopy } from '../result-copy';
import type { Outcome } from '../runners/runner';

export type ScriptSuccess = Exclude<ScriptOutput, ScriptFailure>;

/** What an exit code means where the script said nothing better. */
const EXIT_ERRORS: Readonly<Record<number, ErrorCode>> = {
  [EXIT.CONFIG]: 'SOURCE_CONFIG',
  [EXIT.TABLE_NOT_FOUND]: 'TABLE_NOT_FOUND',
  [EXIT.UNAVAILABLE]: 'SOURCE_UNAVAILABLE',
  [EXIT.LAKE]: 'LAKE_DENIED',
  [EXIT.TEMPORARY]: 'SOURCE_UNAVAILABLE',
  [EXIT.AUTH]: 'SOURCE_AUTH',
};
/** Codes a script may choose itself under an exit code that covers several. */
const OWN_CODES: Readonly<Record<number, readonly ErrorCode[]>> = {
  [EXIT.LAKE]: ['LAKE_DENIED', 'LAKE_UNAVAILABLE', 'SCRIPT_FAILED'],
};

/**
 * A launch's outcome as its result. Throws the `ApiError` that fits the exit code. Where stdout was lost on the way,
 * the copy in the lake counts; where it contradicts that copy or the job, or is no result, the run failed. `redact`
 * knows the secrets of the job: a script's words go to the caller, and not every script hides them.
 */
export async function readResult(
  outcome: Outcome,
  job: Job,
  lake: Lake | null,
  redact: (text: string) => string,
): Promise<ScriptSuccess> {
  const lost = outcome.stdoutProblem === 'cut' || outcome.stdout.length === 0;
  const printed = outcome.stdoutProblem === null ? parseOutput(outcome.stdout) : null;
  if (outcome.stdoutProblem === 'too_long') {
    throw new ApiError('SCRIPT_FAILED', 'The script was stopped: more than 16 MiB on stdout', {
      hint: 'Only the result belongs on stdout; everything else goes to stderr.',
    });
  }
  if (outcome.exitCode !== EXIT.OK) throw failureOf(outcome, printed, job, redact);

  const stored = await storedResult(job, lake);
  const output = lost ? stored : printed;
  if (output === null) {
    const why = lost ? 'stdout was lost or empty, and no copy is in the lake' : 'stdout is not the JSON of a result';
    throw new ApiError('SCRIPT_FAILED', `The script ended well, but gave no result: ${why}`, {
      hint: redact(tailHint(outcome)),
    });
  }
  if (output.status === 'error') {
    throw new ApiError('SCRIPT_FAILED', redact(`The script exited with 0 and an error: ${output.error.message}`));
  }
  if (!answers(output, job)) {
    throw new ApiError('SCRIPT_FAILED', 'The result belongs to another job', {
      hint: 'The script must repeat run_id, attempt, nonce and database of the job it was given.',
    });
  }
  if (stored !== null && !isDeepStrictEqual(stored, output)) {
    throw new ApiError('SCRIPT_FAILED', 'The result on stdout is not the one in the lake', {
      hint: 'The script must write the very document that it prints.',
    });
  }
  return output;
}

const answers = (output: ScriptSuccess, job: Job): boolean =>
  output.status === (job.dry_run ? 'planned' : 'success') &&
  (['run_id', 'attempt', 'nonce', 'database'] as const).every((key) => output[key] === job[key]);

function parseOutput(document: Buffer): ScriptOutput | null {
  try {
    return scriptOutputSchema.parse(JSON.parse(document.toString('utf8')));
  } catch {
    return null;
  }
}

async function storedResult(job: Job, lake: Lake | null): Promise<ScriptOutput | null> {
  if (lake === null) return null;
  const copy = await readResultCopy(lake, job);
  if (copy === 'too_long') {
    throw new ApiError('SCRIPT_FAILED', 'The copy of the result in the lake is over 16 MiB', {
      hint: 'The script must write the very document that it prints.',
    });
  }
  return copy && parseOutput(copy);
}

function failureOf(
  outcome: Outcome,
  printed: ScriptOutput | null,
  job: Job,
  redact: (text: string) => string,
): ApiError {
  const said = printed?.status === 'error' ? printed.error : null;
  const { exitCode } = outcome;
  // First: the engine may know that of a script whose end nobody saw.
  if (outcome.oomKilled) {
    return new ApiError('SCRIPT_FAILED', 'The script was killed, probably for running out of memory', {
      hint: 'Nothing was published. Raise SCRIPT_MEMORY_MB (for an object beyond 90 GiB by 1.5 MiB for each GiB more), or look for very large values in single rows.',
    });
  }
  if (exitCode === null) {
    return new ApiError('RUNNER_UNAVAILABLE', 'The runner was lost during the run, and with it the script', {
      hint: 'Nothing was published. When Docker, or ECS, answers again, POST again.',
    });
  }
  if (exitCode === EXIT.STOPPED) {
    const timedOut = job.deadline !== null && outcome.finishedAt.getTime() >= Date.parse(job.deadline) - 1000;
    return new ApiError(timedOut ? 'RUN_TIMEOUT' : 'RUN_CANCELLED', redact(said?.message ?? 'The script was stopped'));
  }
  const own = said && isErrorCode(said.code) && OWN_CODES[exitCode]?.includes(said.code) ? said.code : undefined;
  const code = own ?? EXIT_ERRORS[exitCode] ?? 'SCRIPT_FAILED';
  return new ApiError(code, redact(said?.message ?? `The script exited with ${exitCode}`), {
    hint: redact(said?.hint || tailHint(outcome)),
  });
}

function tailHint(outcome: Outcome): string {
  const tail = outcome.stderrTail.split('\n').slice(-3).join(' | ').slice(0, 500);
  return tail ? `Its last words: ${tail}` : 'It said nothing on stderr; run the image with docker run to see more.';
}
