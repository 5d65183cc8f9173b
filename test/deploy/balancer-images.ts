import { join } from 'node:path';
import { docker, presentOrPulled } from '../services/images';
import { dockerEnv } from '../services/need';

const FIXTURES = join(__dirname, 'fixtures');
const BUILD_MS = 300_000;

/** Which image the compose files want of each, and what stands in for it. */
const IMAGES = {
  nginx: { official: 'nginx:1.28-alpine', standIn: 'ingesta-test/nginx' },
  'socket-proxy': { official: 'haproxy:3.0-alpine', standIn: 'ingesta-test/haproxy' },
};

/**
 * Compose files to lay over ours where Docker's own images of these services are not here and cannot be pulled: with
 * Debian's programs instead, in images of another name, which nobody should take for those.
 */
export async function balancerImages(...services: (keyof typeof IMAGES)[]): Promise<string[]> {
  const files: string[] = [];
  for (const service of services) {
    const { official, standIn } = IMAGES[service];
    if (await presentOrPulled([official])) continue;
    await build(service, standIn);
    files.push(join(FIXTURES, `${service}.stand-in.yml`));
  }
  return files;
}

async function build(service: string, tag: string): Promise<void> {
  const args = ['--network', 'host', '--build-arg', `NODE_IMAGE=${dockerEnv().nodeImage}`, '--tag', tag];
  await docker(['build', ...args, '--file', join(FIXTURES, `${service}.Dockerfile`), FIXTURES], BUILD_MS);
}
