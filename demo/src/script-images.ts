import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Engine } from '../../test/services/engine';
import { say } from './show';

const BUILD_MS = 10 * 60_000;

/** The sources whose scripts the demo runs. */
const SOURCES = ['postgresql', 'files'];

/**
 * Makes the script images, of scripts as new as the gateway: where nothing has changed Docker has them ready. Without them the demo
 * still works, and says why it does it differently.
 */
export async function prepareImages(
  root: string,
  engine: Engine,
  prefix: string,
): Promise<{ ready: boolean; why: string }> {
  say(`  ${engine.how}`);
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
