/**
 * `npm run soak -- --minutes 60 --seed 7 --runs 500`: the random mix of the fault tests for as long as one likes, or until
 * so many runs have been published. The seed is printed; it reproduces what each client and the chaos do.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkNode, ensureInstalled } from '../../install.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const number = { type: 'string' };
const { values } = parseArgs({ options: { minutes: number, seed: number, runs: number } });
for (const [name, value] of Object.entries(values)) {
  if (!(Number(value) > 0)) throw new Error(`--${name} ${value} is no number above 0`);
}
checkNode();
ensureInstalled();
const env = {
  ...process.env,
  INGESTA_TEST_SERVICES: 'nginx,postgresql,s3',
  INGESTA_TEST_REQUIRE: 'all',
  INGESTA_SOAK_MINUTES: values.minutes ?? '60',
  INGESTA_SEED: values.seed ?? '',
  INGESTA_SOAK_RUNS: values.runs ?? '',
};
const run = (args) => spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1;
process.exitCode =
  run(['build.mjs']) || run([join('node_modules', 'jest', 'bin', 'jest.js'), 'test/faults/random-mix']);
