import { type ResolvedEnv, resolveEnv } from '@ingesta/kit';
import type { Env } from '../config';
import type { LaunchableSource } from '../runners/runner';

/**
 * A source's variables as the gateway hands them over, and what is wrong with them. What the launch brings with it is
 * neither asked for nor handed over; what was `found` in a secret store counts before the environment. On ECS no secret is
 * handed over, since the job lies in the lake: each must be brought.
 */
export function sourceEnv(
  { description, envPrefix, provides = [], runner, reference }: LaunchableSource,
  env: Env,
  found: Readonly<Record<string, string>> = {},
): ResolvedEnv {
  const isBrought = (name: string) => provides.includes(name) || provides.includes(`${name}_FILE`);
  const brought = description.env
    .filter(({ name, aliases }) => [name, ...aliases].some(isBrought))
    .map(({ name }) => name);
  // Whatever stands there, they are not looked up in the environment.
  const known = [...brought, ...Object.keys(found)].map((name) => [envPrefix + name, 'known elsewhere']);
  const lookedUp = known.length > 0 ? { ...env, ...Object.fromEntries(known) } : env;
  const { values, problems } = resolveEnv(description, lookedUp, envPrefix);
  const handed = Object.entries({ ...values, ...found }).filter(([name]) => !brought.includes(name));
  if (runner === 'ecs') {
    const secrets = description.env.filter(({ secret }) => secret).map(({ name }) => name);
    for (const [name] of handed.filter(([name]) => secrets.includes(name)))
      problems.push(
        `${envPrefix}${name} is a secret, which ECS must get by reference: name it under "secrets" in ${reference}`,
      );
  }
  return { values: Object.fromEntries(handed), problems };
}
