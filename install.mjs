import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('.', import.meta.url));

/** The oldest Node that everything here runs on, as in package.json. */
const OLDEST = [20, 19];

/** Ends the process with a plain message when this Node is too old. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  console.error(`Node ${OLDEST.join('.')} or newer is needed; this is ${process.versions.node} (${process.execPath}).`);
  process.exit(1);
}

/** Installs packages when they are missing or older than package-lock.json; says so, and what npm said if it fails. */
export function ensureInstalled() {
  if (isInstalled()) return;
  console.error('Installing packages …');
  const flags = ['--include=dev', '--no-audit', '--no-fund'];
  if (runNpm(['ci', ...flags]).status === 0) return;
  // `npm ci` refuses a lock file that lacks other platforms' optional packages, as npm writes it where the registry
  // does not carry them; `npm install` keeps to the same locked versions and takes what this platform needs.
  const { status, error, stdout, stderr } = runNpm(['install', '--no-save', ...flags]);
  if (status === 0) return;
  console.error(error?.message ?? `${stdout}${stderr}`);
  process.exit(1);
}

function isInstalled() {
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs;
}

/** npm's output is kept back: its warnings about install scripts, which nothing here needs, would hide what matters. */
function runNpm(args) {
  const options = { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 << 20 };
  // Under `npm test` npm tells where it is; that also spares Windows the shell that `npm.cmd` would need.
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) return spawnSync(process.execPath, [npm, ...args], options);
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
}
