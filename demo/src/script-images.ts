import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCommand } from '../../test/services/command';
import type { Engine } from '../../test/services/engine';
import { say } from './show';

const BUILD_MS = 10 * 60_000;

/** The sources whose scripts the demo runs. */
const SOURCES = ['postgresql', 'files'];

/** Makes sure that the script images are there. Without it the demo still works, and says why it does it differently. */
export async function prepareImages(
  root: string,
  engine: Engine,
  prefix: string,
): Promise<{ ready: boolean; why: string }> {
  say(`  ${engine.how}`);
  const present = await Promise.all(SOURCES.map((source) => isPresent(`${prefix}${source}:latest`)));
  if (!present.includes(false)) return { ready: true, why: '' };
  if (!existsSync(join(root, 'build-images.sh'))) return { ready: false, why: 'build-images.sh is not here' };
  say('Building the script images …');
  try {
    await promisify(execFile)('bash', [join(root, 'build-images.sh'), '--prefix', prefix, ...SOURCES], {
      cwd: root,
      timeout: BUILD_MS,
    });
    return { ready: true, why: '' };
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr ?? error)
      .trim()
      .split('\n');
    return { ready: false, why: `the script images could not be built (${said[said.length - 1]})` };
  }
}

const isPresent = (image: string) =>
  runCommand('docker', ['image', 'inspect', image]).then(
    () => true,
    () => false,
  );
