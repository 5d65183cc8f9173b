import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOG_FOLDER, startContainer } from './container';
import type { Engine } from './engine';
import { presentOrPulled } from './images';
import { commonOptions, createUser, mysqlEnv, mysqlVersion } from './mysql-settings';
import { freePort } from './server-process';
import type { ServiceHandle } from './service';

/** The first is the one to pull. */
const IMAGES = ['mysql:8.4', 'mysql:8', 'mariadb:11.4', 'mariadb:10.11'];

/** MySQL or MariaDB from an official image. */
export async function containerMysql(engine: Engine | undefined): Promise<ServiceHandle | undefined> {
  const image = engine ? await presentOrPulled(IMAGES) : undefined;
  if (!engine || !image) return undefined;
  const logFolder = await mkdtemp(join(tmpdir(), 'ingesta-mysql-'));
  const password = randomBytes(18).toString('base64url');
  // The server inside has an account of its own that this machine does not know: it must find a file it may write.
  await chmod(logFolder, 0o777);
  await writeFile(join(logFolder, 'general.log'), '');
  await chmod(join(logFolder, 'general.log'), 0o666);
  await writeFile(join(logFolder, 'init.sql'), createUser(password));
  const hostPort = await freePort();
  const server = await startContainer(
    engine,
    {
      image,
      args: [...commonOptions(`${LOG_FOLDER}/general.log`), `--init-file=${LOG_FOLDER}/init.sql`],
      env: { MYSQL_ROOT_PASSWORD: password, MARIADB_ROOT_PASSWORD: password },
      containerPort: 3306,
      hostPort,
      logFolder,
    },
    () => mysqlVersion(hostPort, password),
  );
  return {
    name: 'mysql',
    how: `${server.answer}, Docker image ${image}`,
    env: mysqlEnv(hostPort, password, join(logFolder, 'general.log')),
    stop: server.stop,
  };
}
