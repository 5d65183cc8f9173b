/** `npm run fuzz -- [requests per route] [seed]`: builds, then asks a gateway of its own what its document allows, and more. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkNode, ensureInstalled } from '../../install.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

checkNode();
ensureInstalled();
for (const [script, ...args] of [['build.mjs'], ['test/fuzz/dist/main.js', ...process.argv.slice(2)]]) {
  const stdio = ['ignore', script === 'build.mjs' ? 'ignore' : 'inherit', 'inherit'];
  const { status } = spawnSync(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT, stdio });
  if (status !== 0) process.exit(status ?? 1);
}
