import type { Observation } from '../observation';
import { readOutput } from './read-output';

/** An exit code with what the script said, for the table. */
export function exitOf(seen: Observation): string {
  const { output } = readOutput(seen);
  const said = output?.status === 'error' ? `${output.error.code}: ${output.error.message}` : lastLine(seen.stderr);
  const late = seen.timedOut ? ', stopped for taking too long' : '';
  return `exit ${seen.exitCode ?? 'unknown'}${late}${said ? ` (${said.slice(0, 120)})` : ''}`;
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** What is wrong with a run that had to fail with one of `codes` and say why on stdout. */
export function failureProblems(seen: Observation, codes: readonly number[]): string[] {
  const problems: string[] = [];
  if (seen.timedOut || seen.exitCode === null || !codes.includes(seen.exitCode)) {
    problems.push(`${exitOf(seen)} instead of ${codes.join(' or ')}`);
  }
  const { output, problem } = readOutput(seen);
  if (problem !== null) problems.push(problem);
  else if (output.status !== 'error') problems.push(`stdout says "${output.status}"`);
  else if (!output.error.message.trim() || !output.error.hint.trim())
    problems.push('the error has no message or no hint');
  return problems;
}

/** The same for a script that was stopped: it may have had no time for words, but must not speak of success. */
export function stoppedProblems(seen: Observation): string[] {
  if (seen.stdout.length > 0) return failureProblems(seen, [143]);
  return seen.exitCode === 143 && !seen.timedOut ? [] : [`${exitOf(seen)} instead of 143`];
}
