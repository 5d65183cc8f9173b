import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, giveTo, serverAccount } from './account';
import { aptInstall, canAptInstall } from './apt';
import { firstThatStarts } from './attempts';
import { findProgram, runCommand } from './command';
import type { Engine } from './engine';
import { givenByUrl } from './given';
import { containerMysql } from './mysql-container';
import { commonOptions, createUser, mysqlEnv, mysqlVersion } from './mysql-settings';
import { freePort, startServer } from './server-process';
import type { ServiceHandle } from './service';

/** How to have MySQL or MariaDB next time. */
export const BRING_MYSQL =
  'apt-get install mariadb-server, or docker pull mysql:8.4, or INGESTA_TEST_MYSQL_URL=mysql://user:password@host:port';

/** MySQL or MariaDB, from the first place that has it. */
export function startMysql(engine?: Engine): Promise<ServiceHandle> {
  return firstThatStarts('mysql', [
    givenByUrl('mysql', 'INGESTA_TEST_MYSQL_URL', 'INGESTA_TEST_MYSQL', '3306'),
    { from: 'image', start: () => containerMysql(engine) },
    { from: 'installed', start: () => startInstalled(engine) },
    {
      from: 'install',
      start: async () => {
        if (!canAptInstall()) return undefined;
        await aptInstall('mariadb-server');
        return startInstalled(engine);
      },
    },
  ]);
}

/** Starts an instance of our own on a fresh data folder. */
async function startInstalled(engine: Engine | undefined): Promise<ServiceHandle | undefined> {
  const program = findProgram('mariadbd', 'mysqld');
  if (!program) return undefined;
  const account = serverAccount();
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-mysql-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    giveTo(account, folder);
    const data = join(folder, 'data');
    await createDataFolder(program, data, account, folder);
    const password = randomBytes(18).toString('base64url');
    const initFile = join(folder, 'init.sql');
    await writeFile(initFile, createUser(password), { mode: 0o600 });
    giveTo(account, initFile);
    const port = await freePort();
    const logFile = join(folder, 'general.log');
    const listen = ['127.0.0.1', ...(engine?.gateway ? [engine.gateway] : [])].join(',');
    const place = [`--datadir=${data}`, `--socket=${join(folder, 's')}`, `--pid-file=${join(folder, 'pid')}`];
    const server = await startServer(
      {
        command: program,
        args: [
          '--no-defaults',
          ...place,
          ...commonOptions(logFile),
          `--port=${port}`,
          `--bind-address=${listen}`,
          `--init-file=${initFile}`,
        ],
        cwd: folder,
        logFile: join(folder, 'error.log'),
        account,
      },
      () => mysqlVersion(port, password),
    );
    return {
      name: 'mysql',
      how: `${server.answer}, installed program ${program}`,
      env: mysqlEnv(port, password, logFile),
      stop: async () => {
        await server.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** MariaDB has a program for it, MySQL an option. */
async function createDataFolder(program: string, data: string, account: Account, cwd: string): Promise<void> {
  const installer = findProgram('mariadb-install-db', 'mysql_install_db');
  const args = ['--no-defaults', `--datadir=${data}`];
  if (installer) {
    await runCommand(installer, [...args, '--auth-root-authentication-method=normal', '--skip-test-db'], {
      account,
      cwd,
    });
  } else {
    await runCommand(program, [...args, '--initialize-insecure'], { account, cwd });
  }
}
