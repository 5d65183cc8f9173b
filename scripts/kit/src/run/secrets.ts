import type { SourceDescription } from '../contract/source-description';
import { REMOTE, readSetting } from './resolve-env';

/** Secrets every script knows besides its source's own. */
const LAKE_SECRETS = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];

/** The values that must never leave in a log or an error. */
export function secretsOf(description: SourceDescription, env: Readonly<Record<string, string | undefined>>): string[] {
  const names = description.env
    .filter((variable) => variable.secret)
    .flatMap(({ name, aliases }) => [name, ...aliases])
    .flatMap((name) => [name, name + REMOTE]);
  return [...names, ...LAKE_SECRETS]
    .map((name) => readSetting(env, name).value)
    .filter((value) => value !== undefined)
    .flatMap((value) => [value, ...passwordOfUri(value)]);
}

/**
 * The password inside `scheme://user:password@host`, as it stands and decoded. Where it holds an `@` or a `/` that should
 * have been escaped, readers disagree about its end: then all that it may be.
 */
function passwordOfUri(value: string): string[] {
  const ends = [/^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:([^@]+)@/i, /^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:([^/?#]+)@/i];
  const passwords = ends.map((end) => end.exec(value)?.[1]).filter((password) => password !== undefined);
  return passwords.flatMap((password) => [password, decoded(password)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
