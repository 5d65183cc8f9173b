import { mayInstall } from './attempts';
import { findProgram, runCommand } from './command';

const PULL_MS = 120_000;

/** Runs the `docker` program. */
export function docker(args: readonly string[], timeoutMs = 60_000, env?: NodeJS.ProcessEnv): Promise<string> {
  return runCommand(findProgram('docker') ?? 'docker', args, { timeoutMs, env });
}

/** Whether the engine has the image. */
export async function hasImage(image: string): Promise<boolean> {
  return docker(['image', 'inspect', '--format', '{{.Id}}', image]).then(
    () => true,
    () => false,
  );
}

/** The first of the images that is here; else, where pulling is allowed, the first one pulled; else `undefined`. */
export async function presentOrPulled(images: readonly string[]): Promise<string | undefined> {
  for (const image of images) if (await hasImage(image)) return image;
  const first = images[0];
  if (first === undefined || !(process.env.INGESTA_TEST_PULL === '1' || mayInstall())) return undefined;
  return docker(['pull', '--quiet', first], PULL_MS).then(
    () => first,
    () => undefined,
  );
}
