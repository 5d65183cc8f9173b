import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { giveTo, serverAccount } from '../../../test/services/account';
import { findProgram, runCommand } from '../../../test/services/command';
import { freePort, startServer } from '../../../test/services/server-process';
import { openSession } from '../../kit/src/testing/open-session';
import { testContext } from '../../kit/src/testing/test-context';
import { createTlsFolder, LARGE_ROWS, LARGE_TABLE, type TlsFolder, tlsSuite } from '../../kit/src/testing/tls-suite';
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
    const init = ['CREATE DATABASE datos', `CREATE USER 'tls'@'%' IDENTIFIED BY '${PASSWORD}' REQUIRE SSL`];
    await writeFile(
      at('init.sql'),
      [...init, "GRANT ALL ON datos.* TO 'tls'@'%'"].map((line) => `${line};\n`).join(''),
    );
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
    const login = { host: '127.0.0.1', port, user: 'tls', password: PASSWORD, ssl: { rejectUnauthorized: false } };
    const admin = await createConnection({ ...login, charset: 'utf8mb4', database: 'datos' });
    await admin.query(`CREATE TABLE ${LARGE_TABLE} (id INT, t TEXT) CHARACTER SET utf8mb4`);
    await admin.query(`INSERT INTO ${LARGE_TABLE} VALUES ?`, [LARGE_ROWS]);
    await admin.end();
  });
  afterAll(async () => {
    await server?.stop();
    await folder?.remove();
  });

  const envOf = (mode: string, host: string, ca: string) => ({
    MYSQL_HOST: host,
    MYSQL_PORT: String(port),
    MYSQL_USER: 'tls',
    MYSQL_PASSWORD: PASSWORD,
    MYSQL_DATABASE: 'datos',
    MYSQL_SSL_MODE: mode,
    MYSQL_SSL_CA: ca,
  });
  const attempt = async (mode: string, host: string, ca = '') => {
    const session = await mysql.connect(envOf(mode, host, ca), testContext());
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
    open: (...how) => openSession(mysql, envOf(...how)),
  });

  it('the server refuses the user without TLS', async () => {
    await expect(attempt('disable', 'localhost')).rejects.toMatchObject({ code: 'SOURCE_AUTH' });
  });

  it('verify-ca takes an address', async () => {
    expect(await attempt('verify-ca', '127.0.0.1', folder.right)).toBe('connected');
  });
});
