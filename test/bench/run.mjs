/** `npm run bench`: installs, builds, and measures on this machine. Needs Docker; says what it lacks. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkNode, ensureInstalled } from '../../install.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

checkNode();
ensureInstalled();
for (const script of ['build.mjs', 'test/bench/dist/main.js']) {
  const stdio = ['ignore', script === 'build.mjs' ? 'ignore' : 'inherit', 'inherit'];
  const { status } = spawnSync(process.execPath, [join(ROOT, script)], { cwd: ROOT, stdio });
  if (status !== 0) process.exit(status ?? 1);
}
