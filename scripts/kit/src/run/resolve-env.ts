import { readFileSync } from 'node:fs';
import type { EnvVariable, SourceDescription } from '../contract/source-description';
import type { SourceEnv } from '../source';

type Env = Readonly<Record<string, string | undefined>>;

export interface ResolvedEnv {
  /** Every set variable under its main name, files read and defaults applied. */
  values: SourceEnv;
  /** One sentence per missing or unreadable variable; empty when all is well. */
  problems: string[];
}

/**
 * Reads a source's variables by its description. `lookup` tells how a name is found: plain env in a script, with a
 * connection's prefix in the gateway. An empty value counts as not set, as `FOO=` in an env file means.
 */
export function resolveEnv(description: SourceDescription, env: Env, prefix = ''): ResolvedEnv {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  const absent: EnvVariable[] = [];
  for (const variable of description.env) {
    const { value, problem } = lookUp(variable, env, prefix);
    if (value !== undefined) values[variable.name] = value;
    else if (problem !== undefined) problems.push(problem);
    else absent.push(variable);
  }
  // Before any default, which is nothing that somebody set.
  const isSet = new Set(Object.keys(values));
  for (const variable of absent) {
    const replaced = variable.unless !== undefined && isSet.has(variable.unless);
    if (variable.default !== undefined) values[variable.name] = variable.default;
    else if (variable.required && !replaced) problems.push(missing(variable, prefix));
  }
  return { values, problems };
}

/** `NAME`, or the content of the file that `NAME_FILE` names (without its last line end). */
export function readSetting(env: Env, name: string): { value?: string; problem?: string } {
  const plain = env[name];
  if (plain !== undefined && plain !== '') return { value: plain };
  const file = env[`${name}_FILE`];
  if (file === undefined || file === '') return {};
  try {
    return { value: readFileSync(file, 'utf8').replace(/\r?\n$/, '') || undefined };
  } catch (error) {
    return { problem: `${name}_FILE: cannot read ${file} (${(error as NodeJS.ErrnoException).code})` };
  }
}

/** Under the first of its names that is set. */
function lookUp(variable: EnvVariable, env: Env, prefix: string): ReturnType<typeof readSetting> {
  for (const name of [variable.name, ...variable.aliases]) {
    const found = readSetting(env, prefix + name);
    if (found.value !== undefined || found.problem !== undefined) return found;
  }
  return {};
}

function missing(variable: EnvVariable, prefix: string): string {
  const names = [variable.name, ...variable.aliases].map((name) => prefix + name).join(' or ');
  return `${names} is not set (${variable.description})`;
}
