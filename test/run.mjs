/**
 * `npm test`: from a fresh clone to the last line, `N passed, N failed, N skipped`. Arguments go to Jest
 * (`npm test -- gateway`). What the environment can say:
 *
 * - INGESTA_TEST_REQUIRE=all: a missing server or a skipped test makes the run fail.
 * - INGESTA_TEST_INSTALL=1: may install what is missing (apt-get as root, Go into the cache folder, docker pull).
 * - INGESTA_TEST_PULL=1: may pull Docker images.
 * - INGESTA_TEST_SERVICES=postgresql,s3: only these servers; `none` for a quick round of unit tests.
 * - INGESTA_TEST_PG_URL, INGESTA_TEST_MYSQL_URL, INGESTA_TEST_MONGO_URL, INGESTA_TEST_CASSANDRA_URL,
 *   INGESTA_TEST_S3_ENDPOINT with _ACCESS_KEY and _SECRET_KEY, NODE_IMAGE, DOCKER_HOST: servers and a base image that you have.
 * - INGESTA_TEST_SEED=7: other random cases in property tests.
 * - INGESTA_TEST_POSTGRESQL_FROM=npm, INGESTA_TEST_MYSQL_FROM=image, …: take the server from there only
 *   (given, image, installed, npm, install).
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkNode, ensureInstalled } from '../install.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs a script of this project or a package's program under this Node: no shell, so any folder name will do. */
function run(title, script, args, { quiet }) {
  const output = quiet ? 'pipe' : 'inherit';
  const stdio = ['ignore', output, output];
  const options = { cwd: ROOT, encoding: 'utf8', stdio, maxBuffer: 64 << 20 };
  const { status, error, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, script), ...args], options);
  if (status === 0) return;
  if (quiet) console.error(`${title} failed:\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`);
  process.exit(status ?? 1);
}

checkNode();
ensureInstalled();
run('Build', 'build.mjs', [], { quiet: true });
run('Type check', 'node_modules/typescript/bin/tsc', ['--noEmit'], { quiet: true });
run('Lint', 'node_modules/@biomejs/biome/bin/biome', ['check', '.'], { quiet: true });
run('Tests', 'node_modules/jest/bin/jest.js', ['--config', 'jest.config.cjs', ...process.argv.slice(2)], {
  quiet: false,
});
