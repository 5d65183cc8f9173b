import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../services/command';
import { dockerEnv } from '../../services/need';
import { ROOT } from './gateway';

const BUILD_MS = 300_000;

/** Prefix of the images of the end-to-end tests: nobody's own are touched. */
export const E2E_PREFIX = 'ingesta-e2e-';

/** Builds script images of the repository with `build-images.sh`, as a person would. */
export async function buildImages(...names: string[]): Promise<void> {
  await build(ROOT, names);
}

/**
 * Builds a source that is not in the repository: its folder is put under a `scripts/` beside a copy of
 * `build-images.sh`. Gives that `scripts/` folder and what removes it.
 */
export async function buildForeignSource(name: string): Promise<{ scripts: string; remove(): Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'ingesta-foreign-'));
  await cp(join(ROOT, 'build-images.sh'), join(root, 'build-images.sh'));
  await cp(join(__dirname, '../fixtures', name), join(root, 'scripts', name), { recursive: true });
  await build(root, [name]);
  return { scripts: join(root, 'scripts'), remove: () => rm(root, { recursive: true, force: true }) };
}

async function build(root: string, names: string[]): Promise<void> {
  const args = ['--prefix', E2E_PREFIX, '--node-image', dockerEnv().nodeImage, ...names];
  await runCommand('bash', [join(root, 'build-images.sh'), ...args], { cwd: root, timeoutMs: BUILD_MS });
}

/** Ids of the containers that a run left behind. */
export const containersOf = (runId: string): Promise<string[]> => containersLabelled(`ingesta.run=${runId}`);

/** Ids of all containers with a label, running or not. */
export async function containersLabelled(label: string): Promise<string[]> {
  const listed = await runCommand('docker', ['ps', '-aq', '--filter', `label=${label}`]);
  return listed.split('\n').filter((line) => line !== '');
}
