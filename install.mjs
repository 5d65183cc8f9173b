import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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

/** Installs packages when they are missing or other than in package-lock.json; says so, and what npm said if it fails. */
export function ensureInstalled() {
  if (isInstalled(ROOT)) return;
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

/**
 * Whether `node_modules` holds what package-lock.json names, version by version. Files' times say nothing of that: a
 * checkout makes the lock file newer, and installing anew takes the packages from under every program that runs here.
 * Optional packages may be absent: most are for other platforms.
 */
export function isInstalled(folder) {
  const [locked, installed] = ['package-lock.json', 'node_modules/.package-lock.json'].map((name) => {
    const file = join(folder, name);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
  });
  return Object.entries(locked).every(([path, { optional, version, integrity }]) => {
    if (path === '') return true; // The project itself, which is not in node_modules.
    const present = installed[path];
    if (present === undefined) return optional === true;
    return present.version === version && present.integrity === integrity;
  });
}

/** npm's output is kept back: its warnings about install scripts, which nothing here needs, would hide what matters. */
function runNpm(args) {
  const options = { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 << 20 };
  // Under `npm test` npm tells where it is; that also spares Windows the shell that `npm.cmd` would need.
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) return spawnSync(process.execPath, [npm, ...args], options);
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
}
