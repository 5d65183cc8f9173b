import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { giveTo, serverAccount } from '../../../test/services/account';
import { findProgram, runCommand } from '../../../test/services/command';
import { freePort, startServer } from '../../../test/services/server-process';
import { testContext } from '../../kit/src/testing/test-context';
import { createTlsFolder, type TlsFolder, tlsSuite } from '../../kit/src/testing/tls-suite';
import { mysql } from './source';

const PROGRAM = findProgram('mariadbd');
const PASSWORD = 'Pw-123456';

/** MariaDB alone can be set up in one way everywhere. */
const describeWithMariaDb = PROGRAM && findProgram('openssl') ? describe : describe.skip;

describeWithMariaDb('a MySQL source over TLS [mysql]', () => {
  let folder: TlsFolder;
  let port: number;
  let server: { stop(): Promise<void> } | undefined;

  beforeAll(async () => {
    const account = serverAccount();
    folder = await createTlsFolder('DNS:localhost');
    const at = (name: string) => join(folder.path, name);
    await writeFile(at('init.sql'), `CREATE USER 'tls'@'%' IDENTIFIED BY '${PASSWORD}' REQUIRE SSL;\n`);
    for (const file of ['', 'server.key', 'server.pem', 'init.sql']) giveTo(account, at(file));
    const data = ['--no-defaults', `--datadir=${at('data')}`];
    const install = [...data, '--auth-root-authentication-method=normal', '--skip-test-db'];
    await runCommand(findProgram('mariadb-install-db', 'mysql_install_db')!, install, { account, cwd: folder.path });
    port = await freePort();
    const args = [
      ...data,
      `--socket=${at('s')}`,
      `--pid-file=${at('pid')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      `--init-file=${at('init.sql')}`,
      `--ssl-cert=${at('server.pem')}`,
      `--ssl-key=${at('server.key')}`,
    ];
    const options = { command: PROGRAM!, args, cwd: folder.path, logFile: at('error.log'), account };
    server = await startServer(options, () => attempt('require', '127.0.0.1'));
  });
  afterAll(async () => {
    await server?.stop();
    await folder?.remove();
  });

  const attempt = async (mode: string, host: string, ca = '') => {
    const env = {
      MYSQL_HOST: host,
      MYSQL_PORT: String(port),
      MYSQL_USER: 'tls',
      MYSQL_PASSWORD: PASSWORD,
      MYSQL_DATABASE: 'information_schema',
      MYSQL_SSL_MODE: mode,
      MYSQL_SSL_CA: ca,
    };
    const session = await mysql.connect(env, testContext());
    await session.close();
    return 'connected';
  };

  tlsSuite({
    variable: 'MYSQL_SSL_CA',
    named: 'localhost',
    // Another name of the same machine: every resolver takes it, and it is no address by Node's rules.
    unnamed: '127.1',
    refusal: { message: expect.stringMatching(/TLS handshake .* failed/) },
    folder: () => folder,
    attempt,
  });

  it('the server refuses the user without TLS', async () => {
    await expect(attempt('disable', 'localhost')).rejects.toMatchObject({ code: 'SOURCE_AUTH' });
  });

  it('verify-ca takes an address', async () => {
    expect(await attempt('verify-ca', '127.0.0.1', folder.right)).toBe('connected');
  });
});
