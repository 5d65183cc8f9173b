import type { Job, SourceDescription } from '@ingesta/kit';
import { secretsOf } from '../../../scripts/kit/src/run/secrets';
import type { JobRun } from '../observation';

/** Shorter ones are found in any text. */
const MIN_CHARACTERS = 4;

/** Secrets that can be looked for, and those that cannot because they are an ordinary word here as well. */
export function searchable(description: SourceDescription, job: Job): { secrets: string[]; ordinary: string[] } {
  const open = Object.entries(job.env).filter(([name]) => !isSecret(description, name));
  const ordinaryText = [JSON.stringify(description), job.database, ...open.map(([, value]) => value)].join('\n');
  const all = [...new Set(secretsOf(description, job.env))];
  const isOrdinary = (secret: string) => secret.length < MIN_CHARACTERS || ordinaryText.includes(secret);
  return { secrets: all.filter((secret) => !isOrdinary(secret)), ordinary: all.filter(isOrdinary) };
}

const isSecret = ({ env }: SourceDescription, name: string): boolean =>
  name.startsWith('AWS_SE') ||
  env.some((variable) => variable.secret && [variable.name, ...variable.aliases].includes(name));

/** Where a run shows one of the secrets of its job: `stdout`, `stderr`. */
export function leaksOf(secrets: readonly string[], { seen }: JobRun): string[] {
  const places: [string, string][] = [
    ['stdout', seen.stdout.toString('utf8')],
    ['stderr', seen.stderr],
  ];
  return places.filter(([, text]) => contains(text, secrets)).map(([place]) => place);
}

/** Whether a text holds one of them, as it is or as JSON and URLs write it. */
export const contains = (text: string, secrets: readonly string[]): boolean =>
  secrets
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
    .some((form) => text.includes(form));
