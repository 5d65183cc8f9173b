import { join } from 'node:path';
import { aptInstall, canAptInstall } from './apt';
import { findProgram, runCommand } from './command';
import type { Engine } from './engine';
import { hasImage, presentOrPulled } from './images';
import type { ServiceHandle } from './service';

/** How to have a Docker engine next time. */
export const BRING_DOCKER =
  'start Docker and `docker pull node:24-bookworm-slim` (or set NODE_IMAGE); or, as root on a Debian, INGESTA_TEST_INSTALL=1';

const OFFICIAL = 'node:24-bookworm-slim';

/** Named apart from the official one: nobody should take it for that. */
const STAND_IN = 'ingesta-test/node:24-bookworm-slim';
const NODE_VERSION = '24.21.0';
const BUILD_MS = 600_000;

/** The engine as a service of the tests: it answers, and there is a Node image to build ours upon. */
export async function dockerService(engine: Engine): Promise<ServiceHandle> {
  const image = await nodeImage();
  return {
    name: 'docker',
    how: `${engine.how}; base image ${image}`,
    env: {
      INGESTA_TEST_DOCKER: '1',
      INGESTA_TEST_NODE_IMAGE: image,
      ...(engine.gateway ? { INGESTA_TEST_DOCKER_GATEWAY: engine.gateway } : {}),
    },
    stop: engine.stop,
  };
}

async function nodeImage(): Promise<string> {
  const given = process.env.NODE_IMAGE;
  if (given) return given;
  if (!(await hasImage(OFFICIAL)) && (await hasImage(STAND_IN))) return STAND_IN;
  const official = await presentOrPulled([OFFICIAL]);
  if (official) return official;
  if (!canAptInstall()) throw new Error(`a Docker engine answers, but it has no image ${OFFICIAL}`);
  await buildStandIn();
  return STAND_IN;
}

/** Makes a base image from Debian's and npm's packages, where no image can be pulled. */
export async function buildStandIn(): Promise<void> {
  if (!findProgram('debootstrap')) await aptInstall('debootstrap', 'ca-certificates');
  const script = join(__dirname, 'stand-in-image.sh');
  await runCommand('bash', [script, NODE_VERSION, STAND_IN], { timeoutMs: BUILD_MS });
}
