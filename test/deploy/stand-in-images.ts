import { join } from 'node:path';
import { cachedJars } from '../services/cassandra';
import { docker, presentOrPulled } from '../services/images';
import { installedMongod } from '../services/mongodb';
import { mongoshFolder } from '../services/mongosh';
import { dockerEnv } from '../services/need';
import { installedVersitygw } from '../services/s3';

const FIXTURES = join(__dirname, 'fixtures');
const BUILD_MS = 300_000;

interface StandIn {
  /** What the compose files want. */
  readonly official: string;
  readonly standIn: string;
  /** What of the tests' cache it mounts, by the variables of its compose file. */
  readonly mounts?: () => Promise<Record<string, string | undefined>>;
}

const IMAGES = {
  nginx: { official: 'nginx:1.28-alpine', standIn: 'ingesta-test/nginx' },
  'socket-proxy': { official: 'haproxy:3.0-alpine', standIn: 'ingesta-test/haproxy' },
  postgres: { official: 'postgres:17', standIn: 'ingesta-test/postgres' },
  mysql: { official: 'mysql:8.4', standIn: 'ingesta-test/mysql' },
  cassandra: {
    official: 'cassandra:5.0',
    standIn: 'ingesta-test/cassandra',
    mounts: async () => ({ CASSANDRA_LIB: await cachedJars() }),
  },
  mongodb: {
    official: 'mongo:8.0',
    standIn: 'ingesta-test/mongo',
    mounts: async () => ({ MONGOD: installedMongod(), MONGOSH: await mongoshFolder() }),
  },
  s3: {
    official: 'versity/versitygw:v1.8.0',
    standIn: 'ingesta-test/versitygw',
    mounts: async () => ({ VERSITYGW: installedVersitygw() }),
  },
} satisfies Record<string, StandIn>;

/**
 * Where Docker's own images of these services are not here and cannot be pulled: compose files to lay over ours, with programs
 * of Debian and of the tests' cache instead, in images of another name, which nobody should take for those; and the variables that
 * these files want.
 */
export async function standInImages(
  ...services: (keyof typeof IMAGES)[]
): Promise<{ files: string[]; shell: Record<string, string> }> {
  const files: string[] = [];
  const shell: Record<string, string> = {};
  for (const service of services) {
    const { official, standIn, mounts }: StandIn = IMAGES[service];
    if (await presentOrPulled([official])) continue;
    await build(service, standIn);
    files.push(join(FIXTURES, `${service}.stand-in.yml`));
    for (const [name, path] of Object.entries((await mounts?.()) ?? {})) if (path) shell[name] = path;
  }
  return { files, shell };
}

async function build(service: string, tag: string): Promise<void> {
  const args = ['--network', 'host', '--build-arg', `NODE_IMAGE=${dockerEnv().nodeImage}`, '--tag', tag];
  await docker(['build', ...args, '--file', join(FIXTURES, `${service}.Dockerfile`), FIXTURES], BUILD_MS);
}
