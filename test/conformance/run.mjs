/** `npm run conformance`: installs, builds the kit's tool (not the sources), and hands over to it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkNode, ensureInstalled } from '../../install.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

checkNode();
ensureInstalled();
const build = spawnSync(process.execPath, [join(ROOT, 'build.mjs'), 'conformance'], { cwd: ROOT, encoding: 'utf8' });
if (build.status !== 0) {
  process.stderr.write(`${build.stdout}${build.stderr}`);
  process.exit(1);
}
// Where npm was called: paths on the command line mean that folder.
const cwd = process.env.INIT_CWD ?? process.cwd();
const tool = join(ROOT, 'test/conformance/dist/main.js');
const { status } = spawnSync(process.execPath, [tool, ...process.argv.slice(2)], { cwd, stdio: 'inherit' });
process.exit(status ?? 1);
