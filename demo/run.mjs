/** `npm run demo`: installs, builds, and hands over to the demo itself. Needs Node only; any folder, any user. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkNode, ensureInstalled } from '../install.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

checkNode();
ensureInstalled();
console.error('Building …');
const build = spawnSync(process.execPath, [join(ROOT, 'build.mjs')], { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
if (build.status !== 0) {
  console.error(`${build.stdout}${build.stderr}`);
  process.exit(1);
}

const demo = spawn(process.execPath, [join(ROOT, 'demo/dist/main.js')], { cwd: ROOT, stdio: 'inherit' });
// Ctrl-C reaches the demo itself; a signal sent to us alone has to be passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => demo.kill(signal));
// A signal sent to npm ends the shell between npm and us, and tells us nothing: watch for our parent to change.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) demo.kill('SIGTERM');
}, 500).unref();
demo.on('exit', (code) => process.exit(code ?? 1));
