import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCommand } from '../services/command';
import { composeProgram } from '../services/need';

const ROOT = join(__dirname, '../..');
const UP_MS = 240_000;

/** Compose files of the repository, with settings, a project and a home folder of its own. */
export interface Composed {
  /** Has a `.aws`, which the files mount. */
  readonly home: string;
  /** Runs compose; gives what it prints, or throws with the end of it. */
  run(...args: string[]): Promise<string>;
  /** The id of a service's container. */
  container(service: string): Promise<string>;
  remove(): Promise<void>;
}

/**
 * `settings` become the env file, or are one of the repository, `shell` what the person who types the command has in the
 * environment.
 */
export async function compose(
  file: string | readonly string[],
  settings: Record<string, string> | string,
  shell: Record<string, string> = {},
): Promise<Composed> {
  const home = await mkdtemp(join(tmpdir(), 'ingesta-compose-'));
  await mkdir(join(home, '.aws'));
  const envFile = typeof settings === 'string' ? resolve(ROOT, settings) : join(home, 'settings.env');
  if (typeof settings !== 'string') {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(envFile, lines.join(''));
  }
  const { PATH, DOCKER_HOST } = process.env;
  const project = `ingesta-${home.slice(-6).toLowerCase()}`;
  const env = {
    ...{ PATH, HOME: home },
    // A file of the repository names itself.
    ...(typeof settings !== 'string' && { ENV_FILE: envFile }),
    ...(DOCKER_HOST && { DOCKER_HOST }),
    ...shell,
  };
  const files = [file].flat().flatMap((name) => ['--file', resolve(ROOT, name)]);
  const run = (...args: string[]) =>
    runCommand(composeProgram(), ['--project-name', project, '--env-file', envFile, ...files, ...args], {
      env,
      timeoutMs: UP_MS,
    });
  return {
    home,
    run,
    container: async (service) => (await run('ps', '--quiet', '--all', service)).trim(),
    remove: async () => {
      await run('down', '--volumes', '--remove-orphans', '--timeout', '15');
      await rm(home, { recursive: true, force: true });
    },
  };
}
