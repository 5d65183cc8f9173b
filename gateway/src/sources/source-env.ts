import { type ResolvedEnv, resolveEnv } from '@ingesta/kit';
import type { Env } from '../config';
import type { LaunchableSource } from '../runners/runner';

/**
 * A source's variables as the gateway hands them over, and what is wrong with them. What the launch brings with it is
 * neither asked for nor handed over. On ECS no secret is, since the job lies in the lake: each must be brought.
 */
export function sourceEnv(
  { description, envPrefix, provides = [], runner, reference }: LaunchableSource,
  env: Env,
): ResolvedEnv {
  const brought = description.env
    .filter(({ name, aliases }) =>
      [name, ...aliases].some((one) => provides.includes(one) || provides.includes(`${one}_FILE`)),
    )
    .map(({ name }) => name);
  const stand = Object.fromEntries(brought.map((name) => [envPrefix + name, 'brought along']));
  const { values, problems } = resolveEnv(description, brought.length > 0 ? { ...env, ...stand } : env, envPrefix);
  const handed = Object.entries(values).filter(([name]) => !brought.includes(name));
  if (runner === 'ecs') {
    const secrets = description.env.filter(({ secret }) => secret).map(({ name }) => name);
    for (const [name] of handed.filter(([name]) => secrets.includes(name)))
      problems.push(
        `${envPrefix}${name} is a secret, which ECS must get by reference: name it under "secrets" in ${reference}`,
      );
  }
  return { values: Object.fromEntries(handed), problems };
}
