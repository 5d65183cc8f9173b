import { readFileSync } from 'node:fs';
import type { EnvVariable, SourceDescription } from '../contract/source-description';
import type { SourceEnv } from '../source';

type Env = Readonly<Record<string, string | undefined>>;

/** Behind a name: the setting of the place where production runs. */
export const REMOTE = '_REMOTE';

export interface ResolvedEnv {
  /** Every set variable under its main name, files read and defaults applied. */
  values: SourceEnv;
  /** One sentence per missing or unreadable variable; empty when all is well. */
  problems: string[];
}

/**
 * Reads a source's variables by its description, each under `prefix` (a named connection's, in the gateway) and its name.
 * With ENVIRONMENT=production, `<NAME>_REMOTE` counts over `<NAME>`, and a remote part over a plain URI that would replace
 * it: one file may hold both places. An empty value counts as not set, as `FOO=` in an env file means.
 */
export function resolveEnv(description: SourceDescription, env: Env, prefix = ''): ResolvedEnv {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  const absent: EnvVariable[] = [];
  const find = finder(description, env, prefix);
  for (const variable of description.env) {
    const { value, problem } = find(variable);
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

interface Found {
  value?: string;
  problem?: string;
}

/** `NAME`, or the content of the file that `NAME_FILE` names (without its last line end). */
export function readSetting(env: Env, name: string): Found {
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
function lookUp(variable: EnvVariable, env: Env, prefix: string, suffix = ''): Found {
  for (const name of [variable.name, ...variable.aliases]) {
    const found = readSetting(env, prefix + name + suffix);
    if (found.value !== undefined || found.problem !== undefined) return found;
  }
  return {};
}

/** How a variable is looked up: by its plain names, in production by its remote ones first. */
function finder(description: SourceDescription, env: Env, prefix: string): (variable: EnvVariable) => Found {
  const plain = (variable: EnvVariable) => lookUp(variable, env, prefix);
  if (env.ENVIRONMENT !== 'production') return plain;
  const remote = new Map(
    description.env.flatMap((variable) => {
      const found = lookUp(variable, env, prefix, REMOTE);
      return Object.keys(found).length > 0 ? [[variable.name, found]] : [];
    }),
  );
  const replaced = description.env.flatMap(({ name, unless }) => (unless && remote.has(name) ? [unless] : []));
  return (variable) => remote.get(variable.name) ?? (replaced.includes(variable.name) ? {} : plain(variable));
}

function missing(variable: EnvVariable, prefix: string): string {
  const names = [variable.name, ...variable.aliases].map((name) => prefix + name).join(' or ');
  return `${names} is not set (${variable.description})`;
}
