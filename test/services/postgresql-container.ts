import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOG_FOLDER, startContainer } from './container';
import type { Engine } from './engine';
import { presentOrPulled } from './images';
import { commonSettings, postgresqlEnv, postgresqlVersion } from './postgresql-settings';
import { freePort } from './server-process';
import type { ServiceHandle } from './service';

/** The first is the one to pull. */
const IMAGES = ['postgres:17', 'postgres:18', 'postgres:16'];

/** PostgreSQL from an official image. */
export async function containerPostgresql(engine: Engine | undefined): Promise<ServiceHandle | undefined> {
  const image = engine ? await presentOrPulled(IMAGES) : undefined;
  if (!engine || !image) return undefined;
  const logFolder = await mkdtemp(join(tmpdir(), 'ingesta-pg-'));
  // The server inside has an account of its own that this machine does not know.
  await chmod(logFolder, 0o777);
  const password = randomBytes(18).toString('base64url');
  const hostPort = await freePort();
  const logging = {
    ...commonSettings,
    logging_collector: 'on',
    log_directory: LOG_FOLDER,
    log_filename: 'postgresql.log',
    log_file_mode: '0644',
  };
  const args = Object.entries(logging).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = await startContainer(
    engine,
    { image, args, env: { POSTGRES_PASSWORD: password }, containerPort: 5432, hostPort, logFolder },
    () => postgresqlVersion(hostPort, password),
  );
  return {
    name: 'postgresql',
    how: `PostgreSQL ${server.answer}, Docker image ${image}`,
    env: postgresqlEnv(hostPort, password, join(logFolder, 'postgresql.log')),
    stop: server.stop,
  };
}
