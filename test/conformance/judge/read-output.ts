import { type Job, MAX_RESULT_BYTES, type ScriptOutput, scriptOutputSchema } from '@ingesta/kit';
import type { Observation } from '../observation';

/** What stood on stdout, or why it is not the one JSON document of the contract. */
export type Output = { output: ScriptOutput; problem: null } | { output: null; problem: string };

/** stdout as a result, a plan or a failure. */
export function readOutput({ stdout, stdoutProblem }: Pick<Observation, 'stdout' | 'stdoutProblem'>): Output {
  const not = (problem: string): Output => ({ output: null, problem });
  if (stdoutProblem === 'too_long') return not(`stdout is over ${MAX_RESULT_BYTES / 2 ** 20} MiB`);
  if (stdoutProblem === 'cut') return not('stdout was lost on the way');
  const text = stdout.toString('utf8');
  if (text.trim() === '') return not('stdout is empty');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return not(`stdout is not one JSON document: ${JSON.stringify(text.slice(0, 60))}`);
  }
  const parsed = scriptOutputSchema.safeParse(json);
  if (parsed.success) return { output: parsed.data, problem: null };
  const fields = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.') || '(whole)'}: ${message}`);
  return not(`stdout is no result, plan or failure: ${fields.join(', ')}`);
}

/** What differs from the job that the output should answer. */
export function identityProblems(output: ScriptOutput, job: Job): string[] {
  if (output.status === 'error') return [];
  return (['database', 'run_id', 'attempt', 'nonce'] as const)
    .filter((key) => output[key] !== job[key])
    .map((key) => `${key} is ${JSON.stringify(output[key])}, the job says ${JSON.stringify(job[key])}`);
}
