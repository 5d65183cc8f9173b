import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const MODULE = pathToFileURL(join(__dirname, '../../install.mjs')).href;
const ASK = `import(${JSON.stringify(MODULE)}).then((it) => console.log(it.isInstalled(process.argv[1])))`;

const LOCKED = {
  '': { name: 'ingesta', version: '0.1.0' },
  gateway: { version: '0.1.0' },
  'node_modules/pg': { version: '8.1.0', integrity: 'sha512-a' },
  'node_modules/for-another-platform': { version: '1.0.0', integrity: 'sha512-b', optional: true },
};
const { '': _, 'node_modules/for-another-platform': __, ...INSTALLED } = LOCKED;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingesta-install-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** What `isInstalled` says of a folder with these packages; null for no `node_modules`. */
function isInstalled(installed: object | null): boolean {
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: LOCKED }));
  if (installed !== null) {
    mkdirSync(join(folder, 'node_modules'));
    const hidden = join(folder, 'node_modules/.package-lock.json');
    writeFileSync(hidden, JSON.stringify({ packages: installed }));
    // Long before the lock file, as after a checkout.
    utimesSync(hidden, 0, 0);
  }
  return execFileSync(process.execPath, ['-e', ASK, folder], { encoding: 'utf8' }).trim() === 'true';
}

it('takes the locked packages for installed, however old they are', () => expect(isInstalled(INSTALLED)).toBe(true));

it.each([
  ['nothing is installed', null],
  ['a package is missing', { ...INSTALLED, 'node_modules/pg': undefined }],
  ['a package is of another version', { ...INSTALLED, 'node_modules/pg': { version: '8.2.0', integrity: 'sha512-a' } }],
  ['a package is another one', { ...INSTALLED, 'node_modules/pg': { version: '8.1.0', integrity: 'sha512-c' } }],
])('sees that %s', (_case, installed) => expect(isInstalled(installed)).toBe(false));
