import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { giveTo, serverAccount } from '../../../test/services/account';
import { findProgram, runCommand } from '../../../test/services/command';
import { embeddedFolder, installedFolder, runnableFolder } from '../../../test/services/postgresql-binaries';
import { freePort, startServer } from '../../../test/services/server-process';
import { openSession } from '../../kit/src/testing/open-session';
import { testContext } from '../../kit/src/testing/test-context';
import { createTlsFolder, LARGE_ROWS, LARGE_TABLE, type TlsFolder, tlsSuite } from '../../kit/src/testing/tls-suite';
import { postgresql } from './source';

const PASSWORD = 'Pw-123456';

const describeWithOpenssl = findProgram('openssl') ? describe : describe.skip;

describeWithOpenssl('PostgreSQL over TLS [postgresql]', () => {
  let folder: TlsFolder;
  let port: number;
  let server: { stop(): Promise<void> } | undefined;

  beforeAll(async () => {
    const account = serverAccount();
    folder = await createTlsFolder('IP:127.0.0.1');
    const at = (name: string) => join(folder.path, name);
    await writeFile(at('password'), PASSWORD);
    for (const file of ['', 'server.key', 'server.pem', 'password']) giveTo(account, at(file));
    const bin = await runnableFolder((installedFolder() ?? (await embeddedFolder()))!, account, folder.path);
    const env = { PATH: process.env.PATH, HOME: folder.path, LC_ALL: 'C', TZ: 'UTC' };
    const data = ['-D', at('data')];
    const init = [...data, '-U', 'postgres', '-A', 'scram-sha-256', '--no-sync', `--pwfile=${at('password')}`];
    await runCommand(join(bin, 'initdb'), init, { account, env, cwd: folder.path });
    await writeFile(join(at('data'), 'pg_hba.conf'), 'hostssl all all all scram-sha-256\n');
    port = await freePort();
    const settings = [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'ssl=on',
      `ssl_cert_file=${at('server.pem')}`,
      `ssl_key_file=${at('server.key')}`,
    ];
    const args = [...data, ...settings.flatMap((setting) => ['-c', setting])];
    const options = { command: join(bin, 'postgres'), args, cwd: folder.path, logFile: at('log'), account, env };
    server = await startServer({ ...options, stopSignal: 'SIGINT' }, () => attempt('require', '127.0.0.1'));
    const ssl = { rejectUnauthorized: false };
    const admin = new Client({ host: '127.0.0.1', port, user: 'postgres', password: PASSWORD, ssl });
    await admin.connect();
    await admin.query(`CREATE TABLE ${LARGE_TABLE} (id int, t text)`);
    const [ids, texts] = [LARGE_ROWS.map(([id]) => id), LARGE_ROWS.map(([, t]) => t)];
    await admin.query(`INSERT INTO ${LARGE_TABLE} SELECT * FROM unnest($1::int[], $2::text[])`, [ids, texts]);
    await admin.end();
  });
  afterAll(async () => {
    await server?.stop();
    await folder?.remove();
  });

  const envOf = (mode: string, host: string, ca: string) => ({
    POSTGRES_HOST: host,
    POSTGRES_PORT: String(port),
    POSTGRES_USER: 'postgres',
    POSTGRES_PASSWORD: PASSWORD,
    POSTGRES_DB: 'postgres',
    POSTGRES_SSL_MODE: mode,
    POSTGRES_SSL_CA: ca,
  });
  const attempt = async (mode: string, host: string, ca = '') => {
    const session = await postgresql.connect(envOf(mode, host, ca), testContext());
    await session.close();
    return 'connected';
  };

  tlsSuite({
    variable: 'POSTGRES_SSL_CA',
    named: '127.0.0.1',
    unnamed: 'localhost',
    refusal: { message: expect.stringMatching(/certificate .* is not accepted/) },
    folder: () => folder,
    attempt,
    open: (...how) => openSession(postgresql, envOf(...how)),
  });

  it('the server refuses the user without TLS', async () => {
    await expect(attempt('disable', 'localhost')).rejects.toMatchObject({ code: 'SOURCE_AUTH' });
  });
});
